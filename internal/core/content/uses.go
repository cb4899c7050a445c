package content

import "strings"

// Use is a variable that a template asks for and does not make itself.
type Use struct {
	Path  string // "customer.first_name"
	Spot  Spot
	Part  string // "subject", "preheader", "html" or "text"
	Block string // the block that was not handed it; empty in the template itself
	Shown bool   // it is written as it is: without it there is no message
}

// Word is a sentence that a template asks the filter t for.
type Word struct {
	Key  string
	Spot Spot
	Args []string // what is put into it, by name
}

// Uses returns the variables that the template needs, each place once, in the
// order of its parts.
func (t *Template) Uses() []Use { return t.uses }

// Words returns the sentences that the template names outright.
func (t *Template) Words() []Word { return t.words }

// names are what one scope of a template asks for and what it makes.
type names struct {
	alone bool // of a block
	block string
	made  map[string]bool
	all   map[string]bool // of all scopes of the part
	uses  []Use
	words []Word
}

// add notes a name that the template gives to something.
func (n *names) add(name string) {
	if n.made == nil {
		n.made = map[string]bool{}
	}
	n.made[name], n.all[name] = true, true
}

// use notes that a variable is asked for.
func (n *names) use(p *path, at Spot) {
	if p.root != "" {
		n.uses = append(n.uses, Use{Path: p.dotted(), Spot: at, Block: n.block})
	}
}

// word notes that a sentence is asked for by a key that stands in the template.
func (n *names) word(x expr, c *call, at Spot) {
	lit, _ := x.(literal)
	key, plain := lit.value.(string)
	if !plain {
		return
	}
	w := Word{Key: key, Spot: at}
	for _, a := range c.named {
		w.Args = append(w.Args, a.name)
	}
	n.words = append(n.words, w)
}

// settle hands on what the scope did not make itself. Names count wherever they
// are made: a template may assign behind the use, in a loop.
func (n *names) settle(k *kit) {
	for _, u := range n.uses {
		root, _, _ := strings.Cut(u.Path, ".")
		if !n.made[root] {
			k.uses = append(k.uses, u)
		}
	}
	k.words = append(k.words, n.words...)
}

// maxDotted bounds the names of a path that are noted.
const maxDotted = 8

// dotted returns the path as far as it is made of names.
func (p *path) dotted() string {
	s := p.root
	for _, step := range p.steps[:min(len(p.steps), maxDotted)] {
		if step.by != nil {
			break
		}
		s += "." + step.name
	}
	return s
}
