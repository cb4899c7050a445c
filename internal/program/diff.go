package program

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/spec"
)

// What happened to a definition between two sources.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
)

// Change is one definition that differs between two sources. A template of two
// parts is two changes.
type Change struct {
	Kind  string   `json:"kind"` // shop, policy, segment, journey, template …: the folder in the singular
	Name  string   `json:"name"` // empty: there is one of its kind
	File  string   `json:"file"` // where it stands; removed: where it stood
	What  string   `json:"what"` // added, changed or removed
	Lines []string `json:"lines"`
}

// piece is one definition as written.
type piece struct{ kind, name, file, text string }

// Diff returns how the definitions of new differ from those of old, by kind, name
// and file. Either may be nil: there are none. Lines is a diff as diff -u writes
// it, without its first two lines. What stays the same but moves within a file of
// several segments does not differ.
func Diff(old, new *Source) []Change {
	before, after := pieces(old), pieces(new)
	var list []Change
	for key, p := range after {
		q, there := before[key]
		switch {
		case !there:
			list = append(list, Change{p.kind, p.name, p.file, Added, lineDiff("", p.text)})
		case p.text != q.text:
			list = append(list, Change{p.kind, p.name, p.file, Changed, lineDiff(q.text, p.text)})
		}
	}
	for key, q := range before {
		if _, there := after[key]; !there {
			list = append(list, Change{q.kind, q.name, q.file, Removed, lineDiff(q.text, "")})
		}
	}
	slices.SortFunc(list, func(a, b Change) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File))
	})
	return list
}

// pieces takes a source apart into its definitions. Every byte of it is part of one.
func pieces(s *Source) map[[3]string]piece {
	all := map[[3]string]piece{}
	if s == nil {
		return all
	}
	for _, f := range s.files {
		dir, base := path.Split(f.Path)
		name, _, _ := strings.Cut(base, ".")
		kind := strings.TrimSuffix(strings.TrimSuffix(dir, "/"), "s")
		switch {
		case dir == "":
			kind, name = name, ""
		case dir == "segments/", dir == "traits/", dir == "lists/":
			for _, p := range segmentPieces(f, kind, name) {
				key := [3]string{p.kind, p.name}
				if _, twice := all[key]; twice {
					key[2] = f.Path // a mistake, which the compiler reports
				}
				all[key] = p
			}
			continue
		}
		all[[3]string{kind, name, f.Path}] = piece{kind, name, f.Path, f.Body}
	}
	return all
}

// segmentPieces takes a file of segments, traits or lists apart. What stands before the first
// belongs to it, what stands between two to the one above.
func segmentPieces(f File, kind, name string) (list []piece) {
	var unheard spec.Problems
	var nodes []spec.Node
	for _, d := range ParseYAML(f.Path, 1, f.Body, &unheard) {
		if d.Kind == spec.List {
			nodes = append(nodes, d.Items...)
		} else {
			nodes = append(nodes, d)
		}
	}
	lines := strings.SplitAfter(f.Body, "\n")
	begin := 0
	for i, n := range nodes {
		end := len(lines)
		if i+1 < len(nodes) {
			end = min(max(nodes[i+1].Pos.Line-1, begin), len(lines))
		}
		own := name
		if said, ok := n.Get(kind); ok && said.Scalar() {
			own = said.Text
		} else if len(nodes) > 1 {
			own = name + "#" + strconv.Itoa(i+1) // a mistake, which the compiler reports
		}
		list = append(list, piece{kind, own, f.Path, strings.Join(lines[begin:end], "")})
		begin = end
	}
	if list == nil {
		list = append(list, piece{kind, name, f.Path, f.Body})
	}
	return list
}

const (
	// contextLines is how many lines that did not change stand around those that did.
	contextLines = 3
	// maxEdits bounds how many lines are compared to find the shortest diff, which
	// costs their square. Texts that differ in more are shown whole, one after the
	// other.
	maxEdits = 1000
)

// edit is one line of a diff.
type edit struct {
	op   byte // ' ', '-' or '+'
	line string
}

// lineDiff returns the differences of two texts as diff -u writes them. A last line
// without an end is marked as there.
func lineDiff(a, b string) []string {
	return hunks(script(splitLines(a), splitLines(b)))
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// script returns a shortest way from a to b, by Myers' algorithm of 1986.
func script(a, b []string) []edit {
	var head, tail []edit
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, edit{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, edit{' ', a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	slices.Reverse(tail)
	return slices.Concat(head, shortest(a, b), tail)
}

func shortest(a, b []string) []edit {
	most := min(len(a)+len(b), maxEdits)
	reach := make([]int, 2*most+3) // by diagonal: how far in a
	var trace [][]int
	for d := 0; d <= most; d++ {
		trace = append(trace, slices.Clone(reach[most+1-d:most+2+d]))
		for k := -d; k <= d; k += 2 {
			at := most + 1 + k
			x := reach[at-1] + 1
			if k == -d || k != d && reach[at-1] < reach[at+1] {
				x = reach[at+1]
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			reach[at] = x
			if x >= len(a) && y >= len(b) {
				return walkBack(a, b, trace, d)
			}
		}
	}
	var all []edit
	for _, line := range a {
		all = append(all, edit{'-', line})
	}
	for _, line := range b {
		all = append(all, edit{'+', line})
	}
	return all
}

// walkBack reads the way from the ends of both to their beginnings. Trace[d] is how
// far each diagonal from -d to d was reached before round d.
func walkBack(a, b []string, trace [][]int, d int) []edit {
	var back []edit
	x, y := len(a), len(b)
	for ; d > 0; d-- {
		reached := func(k int) int {
			if i := k + d; i >= 0 && i < len(trace[d]) {
				return trace[d][i]
			}
			return 0
		}
		k := x - y
		from := k - 1
		if k == -d || k != d && reached(k-1) < reached(k+1) {
			from = k + 1
		}
		px := reached(from)
		py := px - from
		for x > px && y > py { // the lines that both have after the edit
			x, y = x-1, y-1
			back = append(back, edit{' ', a[x]})
		}
		if from == k-1 {
			x--
			back = append(back, edit{'-', a[x]})
		} else {
			y--
			back = append(back, edit{'+', b[y]})
		}
	}
	for x > 0 && y > 0 {
		x, y = x-1, y-1
		back = append(back, edit{' ', a[x]})
	}
	slices.Reverse(back)
	return back
}

// hunks keeps the lines that changed and those around them.
func hunks(all []edit) (out []string) {
	keep := make([]bool, len(all))
	for i, e := range all {
		if e.op != ' ' {
			for j := max(0, i-contextLines); j <= min(len(all)-1, i+contextLines); j++ {
				keep[j] = true
			}
		}
	}
	lineA, lineB := 1, 1
	for i := 0; i < len(all); {
		if !keep[i] {
			lineA, lineB, i = lineA+1, lineB+1, i+1
			continue
		}
		end, countA, countB := i, 0, 0
		var lines []string
		for ; end < len(all) && keep[end]; end++ {
			e := all[end]
			if e.op != '+' {
				countA++
			}
			if e.op != '-' {
				countB++
			}
			text, ended := strings.CutSuffix(e.line, "\n")
			lines = append(lines, string(e.op)+text)
			if !ended {
				lines = append(lines, `\ No newline at end of file`)
			}
		}
		out = append(append(out, "@@ -"+span(lineA, countA)+" +"+span(lineB, countB)+" @@"), lines...)
		lineA, lineB, i = lineA+countA, lineB+countB, end
	}
	return out
}

// span writes where a hunk begins and how long it is.
func span(line, count int) string {
	if count == 0 {
		line--
	}
	return strconv.Itoa(line) + "," + strconv.Itoa(count)
}
