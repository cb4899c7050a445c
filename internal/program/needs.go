package program

import (
	"slices"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/spec"
)

// variables are what templates may speak of; see [Program.Render].
var variables = []string{
	"customer", "trigger", "order", "product", "reason", "shop", "brand", "locale", "unsubscribe_url", "preferences_url", "view_url", "confirm_url", picturesURL,
}

// shared are those that blocks see without being handed them: they are not about
// one thing of which there may be several.
var shared = []string{"reason", "shop", "brand", "locale", "unsubscribe_url", "preferences_url", "view_url", "confirm_url", picturesURL}

// shopFields are those of shop in templates.
var shopFields = []string{"name", "website", "postal", "currency", "logo"}

// fallback reads what a template says in place of what is missing:
// “fallback: {first_name: there, product.name: this one}”. A name without a dot is
// a trait of the customer.
func (c *compiler) fallback(head spec.Node) map[string]string {
	v, there := head.Get("fallback")
	if !there {
		return nil
	}
	const example = "fallback: {first_name: there, product.name: this one}"
	docs := ParseYAML(v.Pos.File, v.Pos.Line, v.Text, c.ps)
	if len(docs) != 1 || docs[0].Kind != spec.Map {
		c.ps.Add(v.Pos, example, "fallback is a map of what may be missing to what to write instead")
		return nil
	}
	m := map[string]string{}
	for _, f := range docs[0].Fields {
		if !f.Value.Scalar() || strings.TrimSpace(f.Value.Text) == "" {
			c.ps.Add(v.Pos, example, "the fallback of %s is a text", f.Key)
			continue
		}
		m[fallbackPath(f.Key)] = f.Value.Text
	}
	return m
}

func fallbackPath(key string) string {
	if strings.Contains(key, ".") {
		return key
	}
	return "customer." + key
}

// asks checks what a template asks for: variables that there are not, values that
// a block is not handed, fallbacks that nobody needs, sentences that nobody
// wrote. It reports whether both parts show the way out and the shop's address.
func (c *compiler) asks(t *Template, head spec.Node, src content.Sources) bool {
	shows := map[string]bool{}
	paths := map[string]bool{}
	for _, u := range t.words.Uses() {
		shows[u.Part+" "+u.Path], paths[u.Path] = true, true
		c.variable(t, u)
	}
	for _, w := range t.words.Words() {
		c.sentence(w)
	}
	for path := range src.Fallback { // order does not matter: problems are sorted
		if !paths[path] {
			c.ps.Add(at(head, "fallback"), nearest(path, sortedKeys(paths)), "the template never writes %s, for which it has a fallback", path)
		}
	}
	leaves := true
	for part, body := range map[string]string{"html": src.HTML, "text": src.Text} {
		leaves = leaves && (body == "" || shows[part+" unsubscribe_url"] && shows[part+" shop.postal"])
	}
	return leaves
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// variable checks one variable that a template asks for.
func (c *compiler) variable(t *Template, u content.Use) {
	pos := spec.Pos{File: u.Spot.Name, Line: u.Spot.Line}
	root, rest, _ := strings.Cut(u.Path, ".")
	field, below, _ := strings.Cut(rest, ".")
	switch {
	case u.Block != "" && !slices.Contains(shared, root):
		if u.Shown {
			c.ps.Add(pos, "{% render '"+u.Block+"', "+root+": … %} in "+t.Pos.File, "the block %s shows %s, which the template %s does not hand to it", u.Block, u.Path, t.Name)
		}
	case !slices.Contains(variables, root):
		c.ps.Add(pos, meant(root, variables), "there is no variable %q", root)
	case root == "shop" && field != "" && !slices.Contains(shopFields, field):
		c.ps.Add(pos, "shop."+meant(field, shopFields), "the shop has no %q for templates", field)
	case root == "brand" && field != "":
		if instead, ok := c.p.Shop.Kit.has(field, below); !ok {
			c.ps.Add(pos, instead, "the brand in shop.yaml has no %s", rest)
		}
	}
}
