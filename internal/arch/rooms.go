package arch

import (
	"fmt"
	"slices"
	"strings"
)

// picture is the page that shows a newcomer every room.
const picture = "docs/architecture.md"

// Rooms finds packages below internal that the architecture page does not name,
// and so nobody finds who does not know them. A room has a paragraph that begins
// with its name in bold; an adapter or a suite is named in that of its port, in
// code. Folders deeper down belong to the room they are in.
func (t *Tree) Rooms() []Finding {
	var page string
	for _, file := range t.Text {
		if file.Path == picture {
			page = file.Body
		}
	}
	var found []Finding
	var seen []string
	for _, file := range t.Go {
		if _, exempt := Exempt[file.Dir]; exempt || file.Test || !strings.HasPrefix(file.Dir, "internal/") {
			continue
		}
		r := roomOf(file.Dir)
		name, mark, instead := r.name, "**", "give it a paragraph there that begins with **"+r.name+"**"
		if r.layer == core && name == "" {
			name = "core"
		}
		if r.layer == adapter || r.layer == suite || r.layer == kit {
			mark, instead = "`", "name it there, as `"+name+"`, in the paragraph of "+r.port
		}
		if slices.Contains(seen, mark+name) {
			continue
		}
		seen = append(seen, mark+name)
		if !strings.Contains(page, mark+name+mark) {
			found = append(found, Finding{
				Rule: "room", Path: file.Path, Line: t.line(file.AST.Package),
				What: fmt.Sprintf("%s says nothing about the room %s", picture, name), Instead: instead,
			})
		}
	}
	return found
}
