package css

import "strings"

// left returns what stays in a style element: what attributes cannot say, and
// rules whose matches are not known before there is a reader.
func (p *page) left(s *sheet) string {
	var b strings.Builder
	for _, r := range s.rules {
		p.keep(&b, r, "  ", false)
	}
	left := strings.TrimSpace(b.String())
	// As many lines as before, so that what stands behind keeps its line.
	was, is := strings.Count(p.show(p.text[s.start:s.end]), "\n"), strings.Count(p.show(left), "\n")
	for ; is > was; is-- {
		left = strings.Replace(left, "\n", " ", 1)
	}
	return left + strings.Repeat("\n", was-is)
}

func (p *page) keep(b *strings.Builder, r *statement, indent string, within bool) {
	switch {
	case r.block:
		b.WriteString(indent + r.raw + " {\n")
		for _, inner := range r.inner {
			p.keep(b, inner, indent+"  ", true)
		}
		b.WriteString(indent + "}\n")
		return
	case r.selectors == nil:
		b.WriteString(indent + r.raw + "\n")
		return
	}
	var stay []string
	for _, sel := range r.selectors {
		if within || sel.match == nil || !sel.used || p.loose {
			stay = append(stay, sel.text)
		}
	}
	if len(stay) == 0 {
		return
	}
	parts := make([]declaration, len(r.decls))
	for i, d := range r.decls {
		d.important = d.important || p.lifted(r, d, within)
		parts[i] = d
	}
	b.WriteString(indent + strings.Join(stay, ", ") + " { " + render(parts, "; ") + " }\n")
}

// lifted reports whether a declaration that stays must be marked !important to
// win against what used to stand in the same sheet and stands in attributes now.
// It must not win against what stood in an attribute from the start, nor against
// what was important before.
func (p *page) lifted(r *statement, d declaration, within bool) bool {
	lift := false
	for _, sel := range r.selectors {
		if sel.base == nil || !within && sel.match != nil {
			continue
		}
		for i := range p.tags {
			t := &p.tags[i]
			if t.node == nil || len(t.won) == 0 && len(t.own) == 0 || !sel.base.Match(t.node) {
				continue
			}
			for _, own := range t.own {
				if related(own.property, d.property) {
					return false
				}
			}
			for _, w := range t.won {
				if !related(w.property, d.property) {
					continue
				}
				if w.important {
					return false
				}
				lift = true
			}
		}
	}
	return lift
}

// related reports whether one property is the other's shorthand, or the same.
func related(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"-") || strings.HasPrefix(b, a+"-")
}
