package csv

import (
	"bufio"
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

// NewReport begins a report on w with the names of the columns.
func NewReport(w io.Writer, m Mapping) (*Report, error) {
	r := &Report{w: bufio.NewWriterSize(w, 64<<10)}
	r.cell("line")
	r.next("reason")
	for _, h := range m.Header() {
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
		r.next(string(f[:min(len(f), maxKept)]))
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
	if dangerous(s) {
		s = "'" + s
	}
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

// dangerous reports whether a spreadsheet would take the cell for a formula. A
// number with a sign is none.
func dangerous(s string) bool {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err != nil
}
