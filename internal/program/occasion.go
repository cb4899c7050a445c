package program

import (
	"path"
	"slices"
	"strings"

	"rapport/internal/core/insight/occasion"
)

// readOccasions reads the occasions that the shop wants to know of. Each names a
// purpose to which customers can agree.
func (c *compiler) readOccasions() *occasion.Set {
	var list []*occasion.Definition
	for _, f := range c.occasions {
		n, ok := c.document(f)
		if !ok {
			continue
		}
		d := occasion.Parse(strings.TrimSuffix(path.Base(f.Path), ".yaml"), n, c.ps)
		if d == nil {
			continue
		}
		if !slices.ContainsFunc(c.p.Purposes, func(p Purpose) bool { return p.Name == d.Purpose }) {
			c.ps.Add(at(n, "purpose"), "purposes: {"+d.Purpose+": {label: …}} in shop.yaml", "customers cannot agree to the purpose %q: shop.yaml does not name it", d.Purpose)
		}
		if slices.ContainsFunc(list, func(o *occasion.Definition) bool { return o.Name == d.Name }) {
			c.ps.Add(n.Pos, "", "there are two occasions called %q", d.Name)
		}
		list = append(list, d)
	}
	return occasion.NewSet(list)
}
