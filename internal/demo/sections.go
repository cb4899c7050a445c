package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Section is a part of what was understood, for people: sentences, then a table.
type Section struct {
	Title string
	Notes []string
	Head  []string   // of the columns; nil: there is no table
	Rows  [][]string // the first cell is the row's name
}

// Sections says what was understood, in the order in which to read it.
func (u *Understood) Sections() []Section {
	if u == nil {
		return nil // nobody asked
	}
	return []Section{u.clv(), u.cohorts(), u.places(), u.kinds(), u.habits(), u.needs(), u.hits()}
}

func (u *Understood) clv() Section {
	s := Section{Title: "What customers are worth, against what they really bought in the last quarter"}
	if u.CLV.Refused != "" {
		s.Notes = []string{"Nothing is said: " + u.CLV.Refused + "."}
		return s
	}
	s.Head = []string{"tenth", "customers", "expected £", "bought £", "of expected"}
	people, expected, bought := 0, 0.0, 0.0
	for _, b := range u.CLV.Tenths {
		s.Rows = append(s.Rows, []string{b.Group, Thousands(int64(b.N)), money2(b.Predicted), money2(b.Actual), ratio(b.Actual, b.Predicted)})
		people, expected, bought = people+b.N, expected+b.Predicted*float64(b.N), bought+b.Actual*float64(b.N)
	}
	s.Notes = []string{
		"The model " + u.CLV.Model + ".",
		"Beside what came: " + u.CLV.Checked + ".",
		"It is the quarter before Christmas, the shop's busiest, and the model knows no seasons; its figures are as they come.",
	}
	if people > 0 {
		n, first := float64(people), u.CLV.Tenths[0]
		s.Rows = append(s.Rows, []string{"all", Thousands(int64(people)), money2(expected / n), money2(bought / n), ratio(bought, expected)})
		s.Notes = append(s.Notes, fmt.Sprintf("Of whom it expected the most, the first tenth, came %s of the money; it expected %s.",
			ratio(first.Actual*float64(first.N), bought), ratio(first.Predicted*float64(first.N), expected)))
	}
	return s
}

func (u *Understood) cohorts() Section {
	s := Section{
		Title: "Who came back, by the month of their first order",
		Notes: []string{"Customers who ordered or returned something, by months since the first; the last month of the file ends on the 9th."},
		Head:  []string{"first in"},
	}
	for i := range u.Cohorts {
		for len(s.Head) < 1+len(u.Cohorts[i].People) {
			s.Head = append(s.Head, "+"+strconv.Itoa(len(s.Head)-1))
		}
	}
	for _, c := range u.Cohorts {
		row := []string{c.Month}
		for _, n := range c.People {
			row = append(row, Thousands(n))
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func (u *Understood) places() Section {
	r := &u.RFM
	s := Section{
		Title: "How lately, how often, for how much (RFM)",
		Notes: []string{
			fmt.Sprintf("%s customers bought and paid, %s of them ordered once. In the middle: %.0f days ago, %.0f orders, £%s.",
				Thousands(r.Customers), Thousands(r.Once), r.Recency.Q50, r.Frequency.Q50, money2(r.Monetary.Q50)),
			fmt.Sprintf("Personas of %s, by fifths of each; here money is less what was sent back:", Thousands(int64(r.Placed))),
		},
		Head: []string{"persona", "customers", "share"},
	}
	for _, k := range r.Personas {
		s.Rows = append(s.Rows, []string{k.Name, Thousands(int64(k.Customers)), ratio(float64(k.Customers), float64(r.Placed))})
	}
	return s
}

func (u *Understood) kinds() Section {
	s := Section{Title: "Kinds of customers, found and not declared"}
	if u.Personas.Refused != "" {
		s.Notes = []string{"None: " + u.Personas.Refused + "."}
		return s
	}
	all := 0
	for _, k := range u.Personas.Kinds {
		all += k.Customers
	}
	s.Notes, s.Head = []string{u.Personas.Method + "."}, []string{"kind", "customers", "share"}
	for _, k := range u.Personas.Kinds {
		s.Rows = append(s.Rows, []string{k.Name, Thousands(int64(k.Customers)), ratio(float64(k.Customers), float64(all))})
	}
	return s
}

func (u *Understood) habits() Section {
	r := &u.Rhythms
	s := Section{Title: "Occasions and rhythms, with their evidence"}
	if u.Occasions.Refused != "" {
		s.Notes = append(s.Notes, "Of customers' lives nothing is concluded: nobody was asked, and the shop declares no occasion.")
	}
	s.Notes = append(s.Notes, u.Occasions.Top...)
	var kinds []string
	for _, k := range r.Kinds {
		kinds = append(kinds, k.Name+" "+Thousands(int64(k.Found)))
	}
	found := fmt.Sprintf("%s of %s rhythms of single customers differ from the shop's own calendar", Thousands(int64(r.Found)), Thousands(int64(r.Tested)))
	if len(kinds) > 0 {
		found += " (" + strings.Join(kinds, ", ") + ")"
	}
	saturdays := fmt.Sprintf("%d on Saturdays", r.OnSaturday)
	if r.OnSaturday == 0 {
		saturdays = "none on Saturdays, when nobody orders"
	}
	s.Notes = append(s.Notes, found+"; "+saturdays+". The clearest:")
	for _, t := range r.Top {
		s.Notes = append(s.Notes, "customer "+t.Customer+", "+t.When+": "+t.Evidence+".")
	}
	return s
}

func (u *Understood) needs() Section {
	n := &u.Need
	s := Section{Title: "When customers need something again"}
	switch {
	case n.Refused != "":
		s.Notes = []string{"Nothing is said: " + n.Refused + "."}
	case n.Dates == 0:
		s.Notes = []string{fmt.Sprintf("%s customers are told a date; there was too little to check it by.", Thousands(int64(n.Customers)))}
	default:
		s.Notes = []string{
			fmt.Sprintf("%s customers have a date. Checked with %s.", Thousands(int64(n.Customers)), n.Checked),
			fmt.Sprintf("Over %s dates the median error is %.1f days; by the last gap %.1f, by the mean gap %.1f, by always the middle %.1f.",
				Thousands(int64(n.Dates)), n.Ours, n.Last, n.Mean, n.Middle),
		}
	}
	return s
}

func (u *Understood) hits() Section {
	s := Section{
		Title: "Recommendations, on everybody's last basket",
		Notes: []string{"Hit rate: how often one of ten products shown is in the basket that followed. Beside it a plain method by the same protocol."},
		Head:  []string{"figure", "ours", "plain"},
	}
	for _, h := range u.Recommend {
		s.Rows = append(s.Rows, []string{strings.TrimPrefix(h.What, "online retail: "), rate(h.Ours), rate(h.Plain)})
	}
	return s
}

// Write prints sections for a terminal, columns under each other.
func Write(w io.Writer, list []Section) {
	for i := range list {
		s := &list[i]
		fmt.Fprintf(w, "\n%s\n", s.Title)
		for _, n := range s.Notes {
			for _, line := range wrap(n, lineWidth) {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
		if s.Head == nil {
			continue
		}
		rows := append([][]string{s.Head}, s.Rows...)
		width := make([]int, len(s.Head))
		for _, r := range rows {
			for k, cell := range r {
				width[k] = max(width[k], utf8.RuneCountInString(cell))
			}
		}
		for _, r := range rows {
			fmt.Fprint(w, "  ", r[0])
			for k, cell := range r[1:] {
				free := width[k+1] - utf8.RuneCountInString(cell)
				if k == 0 {
					free += width[0] - utf8.RuneCountInString(r[0]) // the first column stands on the left
				}
				fmt.Fprint(w, strings.Repeat(" ", 2+free), cell)
			}
			fmt.Fprintln(w)
		}
	}
}

// lineWidth is how many characters of a sentence stand on a line.
const lineWidth = 100

// wrap breaks a sentence between words.
func wrap(text string, most int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > most:
			lines, line = append(lines, line), "  "+word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// Thousands writes a number as people read it.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// money2 writes a sum with pence.
func money2(x float64) string {
	whole, pence, _ := strings.Cut(strconv.FormatFloat(x, 'f', 2, 64), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return whole + "." + pence // unreachable: it was written as one
	}
	return Thousands(n) + "." + pence
}

// ratio writes part of whole in percent; nothing has no parts.
func ratio(part, whole float64) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*part/whole, 'f', 0, 64) + " %"
}

// rate writes a rate as such, and a count as a number.
func rate(x float64) string {
	if x > 1 {
		return Thousands(int64(x))
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}
