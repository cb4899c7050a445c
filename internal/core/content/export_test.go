package content

// Lax renders a template of plain text as Shopify does: what is missing is empty.
// Strict reads it as strictly as we do. They serve the golden suite.
func Lax(source string, blocks Blocks, vars Vars, strict bool) (string, error) {
	p, err := compile(File{Spot{Name: "golden"}, source}, false, &kit{blocks: blocks, lax: !strict})
	if err != nil {
		return "", err
	}
	r := newRun(vars, Env{})
	r.lax = true
	out := string(r.words(p))
	return out, r.err
}
