package content

// Lax renders a template of plain text as Shopify does: what is missing is empty.
// It serves the golden suite.
func Lax(source string, vars Vars) (string, error) {
	p, err := compile("golden", source, false)
	if err != nil {
		return "", err
	}
	r := newRun(vars, Env{})
	r.lax = true
	out := r.words(p)
	return out, r.err
}
