package program

import (
	"path"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// Trait is a computed trait as pages show it.
type Trait struct {
	Name     string
	Label    string // for people; the name if the definition has none
	About    string // what it is for; may be empty
	Sentence string // what it is, in words
	Pos      spec.Pos

	computed *condition.Computed
}

// Value returns the trait of a customer as of now, and whether there is one.
func (t *Trait) Value(p *profile.Profile, now event.Time) (event.Value, bool) {
	return t.computed.Value(p, now)
}

// List is a list that is kept by hand.
type List struct {
	Name  string
	Label string // for people; the name if the definition has none
	About string // what it is for; may be empty
	Pos   spec.Pos
}

// List returns the list of the name, and whether there is one.
func (p *Program) List(name string) (List, bool) {
	for _, l := range p.Lists {
		if l.Name == name {
			return l, true
		}
	}
	return List{}, false
}

// maxLists bounds the lists of a program: a customer may be on them all.
const maxLists = profile.MaxLists

// readTraits reads the files of computed traits and makes them known to the
// conditions that are compiled afterwards.
func (c *compiler) readTraits(env *condition.Env) {
	r := fields{c.ps}
	var sources []condition.TraitSource
	shown := map[string]Trait{}
	for _, d := range c.named(c.traits, "trait", "favourite_category", append([]string{"label", "about"}, condition.TraitKeys...)) {
		n := d.node
		own := spec.Node{Kind: spec.Map, Pos: n.Pos}
		for _, f := range n.Fields {
			switch f.Key {
			case "trait", "label", "about":
			default:
				own.Fields = append(own.Fields, f)
			}
		}
		sources = append(sources, condition.TraitSource{Name: d.name, Node: own})
		shown[d.name] = Trait{Name: d.name, Label: label(r, n, d.name), About: r.text(n, "about"), Pos: n.Pos}
	}
	condition.ParseTraits(sources, env, c.ps)
	for _, t := range env.Traits() {
		one := shown[t.Name]
		one.computed, one.Sentence = t, t.Sentence()
		c.p.Traits = append(c.p.Traits, one)
	}
}

// readLists reads the files of lists.
func (c *compiler) readLists(env *condition.Env) {
	r := fields{c.ps}
	for _, d := range c.named(c.lists, "list", "press", []string{"label", "about"}) {
		if _, twice := c.p.List(d.name); twice {
			c.ps.Add(d.node.Pos, "", "there are two lists called %s", d.name)
			continue
		}
		if len(c.p.Lists) == maxLists {
			c.ps.Add(d.node.Pos, "a trait, or a segment", "there are more than %d lists", maxLists)
			return
		}
		c.p.Lists = append(c.p.Lists, List{Name: d.name, Label: label(r, d.node, d.name), About: r.text(d.node, "about"), Pos: d.node.Pos})
		env.Lists = append(env.Lists, d.name)
	}
}

func label(r fields, n spec.Node, name string) string {
	if s := r.text(n, "label"); s != "" {
		return s
	}
	return name
}

// titled is a definition with its name.
type titled struct {
	name string
	node spec.Node
}

// named reads files of small definitions, of which each holds one, several
// documents, or a list. Each has its name under the key what; one that is alone in
// its file may leave that to the file's own.
func (c *compiler) named(files []File, what, example string, keys []string) (list []titled) {
	r := fields{c.ps}
	for _, f := range files {
		nodes := definitions(f, c.ps)
		for _, n := range nodes {
			if !r.known(n, "a "+what, append([]string{what}, keys...)...) {
				continue
			}
			name := r.text(n, what)
			if name == "" && len(nodes) == 1 {
				name = strings.TrimSuffix(path.Base(f.Path), ".yaml")
			}
			if !validName(name) {
				c.ps.Add(at(n, what), what+": "+example, "the %s's name %q is not one of small letters, digits, - and _, at most %d", what, name, maxName)
				continue
			}
			list = append(list, titled{name, n})
		}
	}
	return list
}
