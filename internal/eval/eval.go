// Package eval compares the product's figures with published ones: one table of
// ours, published, and the difference.
//
// Whoever can compute a published figure adds a [Source]: a function that reads a
// public set from a folder and returns a [Row] for each figure. What the product
// is checked on is thereby in one place, and whoever changes a model sees at once
// what it does to every number that others can repeat.
package eval

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// Row is one figure.
type Row struct {
	Name      string  // "CDNOW: BG/NBD log-likelihood"
	Ours      float64 // what the product computes
	Published float64
	// Within is how far ours may be from the published one, absolute. Zero: exact.
	Within float64
	By     string // who published it
	// Must says what else ours may be. A plain method is there to be beaten.
	Must Bound
}

// Bound is where ours must lie beside the other figure.
type Bound string

// The bounds.
const (
	Same Bound = ""      // within what is allowed
	More Bound = "above" // more is better, and ours is more
	Less Bound = "below" // less is better, and ours is less
)

// Holds reports whether the figure is the published one, within what is allowed, or
// better than a plain method's.
func (r *Row) Holds() bool {
	switch r.Must {
	case More:
		return r.Ours > r.Published
	case Less:
		return r.Ours < r.Published
	}
	return math.Abs(r.Ours-r.Published) <= r.Within
}

// Source computes figures from the public sets in a folder. A set that is not
// there is an error that says which.
type Source func(data string) ([]Row, error)

// Sources are all of them, in the order of the table.
var Sources = []Source{CDNOW, Donations, RFM, Cohorts, Sessions, Baskets, Needs, Intent, Mails, Boroughs}

// Table computes every figure and prints the table. It reports how many do not
// hold. A set that is missing is a line of its own and no failure.
func Table(w io.Writer, data string) (wrong int) {
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "figure\tours\tpublished\tdifference\t\tby\t\n")
	var missing []error
	for _, s := range Sources {
		rows, err := s(data)
		if err != nil {
			missing = append(missing, err)
		}
		for i := range rows {
			r := &rows[i]
			mark := "holds"
			if !r.Holds() {
				mark = "DIFFERS"
				wrong++
			} else if r.Must != Same {
				mark = "is better"
			}
			fmt.Fprintf(out, "%s\t%.6g\t%.6g\t%+.2g\t%s\t%s\t\n", r.Name, r.Ours, r.Published, r.Ours-r.Published, mark, r.By)
		}
	}
	out.Flush() //nolint:errcheck // the table is for people; who cannot read it sees that
	for _, err := range missing {
		fmt.Fprintf(w, "not compared: %v\n", err)
	}
	return wrong
}
