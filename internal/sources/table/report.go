package table

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
)

// Report writes refused lines as CSV: number, reason, and the line's own columns
// behind them, so that a corrected report can be imported like the file itself.
// Cells that a spreadsheet would run as a formula get an apostrophe in front.
type Report struct {
	w     *bufio.Writer
	lines int64
}

// The columns that a report has before those of its file.
const (
	reportLine   = "line"
	reportReason = "reason"
)

// NewReport begins a report on w with the names of the columns.
func NewReport(w io.Writer, header []string) (*Report, error) {
	r := &Report{w: bufio.NewWriterSize(w, 64<<10)}
	r.cell(reportLine)
	r.next(reportReason)
	for _, h := range header {
		r.next(h)
	}
	return r, r.end()
}

// Add writes one line. A line that could not be split stands in the first column
// behind the reason, as it is in the file.
func (r *Report) Add(x Refusal) error {
	r.lines++
	r.cell(strconv.FormatInt(x.Line, 10))
	why := x.Reason
	if x.Column != "" {
		why = x.Column + ": " + why
	}
	r.next(why)
	if len(x.Fields) == 0 {
		r.next(string(x.Raw))
	}
	for _, f := range x.Fields {
		r.next(string(f[:min(len(f), MaxKept)]))
	}
	return r.end()
}

// Lines returns how many lines were added.
func (r *Report) Lines() int64 { return r.lines }

// Close writes what is not written yet. It does not close the writer below.
func (r *Report) Close() error { return r.w.Flush() }

func (r *Report) next(s string) {
	_ = r.w.WriteByte(',') // the error stays and end returns it
	r.cell(s)
}

func (r *Report) cell(s string) {
	s = Neutral(s)
	if !strings.ContainsAny(s, "\",\r\n") {
		_, _ = r.w.WriteString(s) // as in next
		return
	}
	_, _ = r.w.WriteString(`"` + strings.ReplaceAll(s, `"`, `""`) + `"`) // as in next
}

func (r *Report) end() error {
	_, err := r.w.WriteString("\n")
	return err
}

// Neutral returns a cell as it may stand in a file that a spreadsheet opens: what
// would run as a formula gets an apostrophe in front, and [Cell] takes it off again.
func Neutral(s string) string {
	if Escaped([]byte(s)) {
		return "'" + s
	}
	return s
}

// Escaped reports whether a cell needs an apostrophe before it: a spreadsheet would
// take it for a formula, or it begins with an apostrophe that means one. A number
// with a sign is none.
func Escaped(b []byte) bool {
	rest := bytes.TrimLeft(b, "'")
	if len(rest) == 0 || !strings.ContainsRune("=+-@\t\r", rune(rest[0])) {
		return false
	}
	if len(rest) < len(b) {
		return true
	}
	_, err := strconv.ParseFloat(string(b), 64)
	return err != nil
}

// Refusal is a line that is not imported.
type Refusal struct {
	Line   int64  // its number in the file, from 1
	Column string // that holds the fault; empty: the line as a whole, or another line of its order
	Reason string
	// Raw is the line as it stands in the file, at most 4 KiB of it. It is valid
	// until the call returns.
	Raw []byte
	// Fields are its columns, if it could be split; valid until the call returns.
	Fields [][]byte
}

// ErasedReason is what the report says of the lines of somebody who was erased. It
// begins with the word that scripts look for.
const ErasedReason = "erased: this customer asked to be forgotten, and nothing of them is taken any more"

// Error says line and reason.
func (r *Refusal) Error() string {
	s := "line " + strconv.FormatInt(r.Line, 10) + ": "
	if r.Column != "" {
		s += "column " + strconv.Quote(Clip(r.Column, 60)) + ": "
	}
	return s + r.Reason
}
