package program

import (
	"net/url"
	"strconv"
	"strings"

	"rapport/internal/core/spec"
)

// Kit is how a shop looks, for templates: {{ brand.colors.accent }},
// {{ brand.fonts.body }}, {{ brand.logo.url }}. Templates that name it look right
// when the brand changes.
type Kit struct {
	Colors map[string]string // "#8a3b1f" or a word of CSS
	Fonts  map[string]string // families by preference: "Georgia, Times New Roman, serif"
	Logo   Logo
}

// Logo is the shop's sign.
type Logo struct {
	URL   string // empty: it has none
	Alt   string // what it says, for those who do not see pictures
	Width int    // in CSS pixels; 0: its own
}

// maxLogo bounds the width of a logo: a mail is some 600 wide.
const maxLogo = 600

func (r fields) kit(n spec.Node) (b Kit) {
	const color, font = "accent: \"#8a3b1f\"", "body: Georgia, Times New Roman, serif"
	if !r.known(n, "brand", "colors", "fonts", "logo") {
		return b
	}
	b.Colors = r.styles(n, "colors", color, func(s string) bool {
		digits, hex := strings.CutPrefix(s, "#")
		if hex {
			return (len(digits) == 3 || len(digits) == 6) && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
		}
		return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") == ""
	})
	// A font's name needs no quotes in CSS, and quotes could end an attribute.
	b.Fonts = r.styles(n, "fonts", font, func(s string) bool {
		return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_, ") == ""
	})
	if v, ok := n.Get("logo"); ok && r.known(v, "the logo", "url", "alt", "width") {
		b.Logo = Logo{URL: r.must(v, "the logo", "url", "https://shop.example/logo.png"), Alt: r.must(v, "the logo", "alt", "Willow and Finch")}
		if u, err := url.Parse(b.Logo.URL); b.Logo.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			r.ps.Add(at(v, "url"), "https://shop.example/logo.png", "%q is not the address of a picture", b.Logo.URL)
		}
		if w := r.text(v, "width"); w != "" {
			var err error
			if b.Logo.Width, err = strconv.Atoi(w); err != nil || b.Logo.Width < 1 || b.Logo.Width > maxLogo {
				r.ps.Add(at(v, "width"), "width: 160", "the width of the logo is a number of pixels up to %d", maxLogo)
			}
		}
	}
	return b
}

// styles reads a map of names to words that may stand in a style.
func (r fields) styles(n spec.Node, key, example string, fit func(string) bool) map[string]string {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return nil
	}
	if v.Kind != spec.Map {
		r.ps.Add(v.Pos, key+": {"+example+"}", "%s are a map of names", key)
		return nil
	}
	m := map[string]string{}
	for _, f := range v.Fields {
		s := strings.TrimSpace(f.Value.Text)
		switch {
		case !validName(f.Key) || strings.Contains(f.Key, "-"):
			r.ps.Add(f.Pos, example, "%q is not a name of small letters, digits and _", f.Key)
		case !f.Value.Scalar() || !fit(s):
			r.ps.Add(f.Value.Pos, example, "%q may not stand in a style", s)
		default:
			m[f.Key] = s
		}
	}
	return m
}

// has reports whether the brand has what a template asks for, and if not what to
// write instead.
func (b *Kit) has(field, below string) (instead string, ok bool) {
	known := map[string][]string{"colors": sortedKeys(b.Colors), "fonts": sortedKeys(b.Fonts), "logo": {"alt", "url", "width"}}
	list, ok := known[field]
	if !ok {
		return "brand." + meant(field, sortedKeys(known)), false
	}
	if below == "" {
		return "", true
	}
	for _, name := range list {
		if name == below {
			return "", true
		}
	}
	if len(list) == 0 {
		return "brand: {" + field + ": {" + below + ": …}} in shop.yaml", false
	}
	return "brand." + field + "." + meant(below, list), false
}

// vars are the brand as templates see it.
func (b *Kit) vars() map[string]any {
	text := func(m map[string]string) map[string]any {
		out := make(map[string]any, len(m))
		for k, v := range m {
			out[k] = v
		}
		return out
	}
	v := map[string]any{"colors": text(b.Colors), "fonts": text(b.Fonts)}
	if b.Logo.URL != "" {
		logo := map[string]any{"url": b.Logo.URL, "alt": b.Logo.Alt}
		if b.Logo.Width > 0 {
			logo["width"] = b.Logo.Width
		}
		v["logo"] = logo
	}
	return v
}
