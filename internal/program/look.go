package program

import (
	"fmt"
	"slices"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/site"
)

// Look is how the pages look that customers see: in the accent of the kit, under
// its logo. A colour that is a word, and a logo that is not secure, are not for
// pages; they have our own then.
func (k *Kit) Look() (l site.Look) {
	if c := strings.ToLower(k.Colors["accent"]); hexColour(c) {
		l.Accent = c
	}
	if u := k.Logo.URL; strings.HasPrefix(u, "https://") && site.CheckTarget(u) == nil {
		l.Logo = u
	}
	return l
}

// checkLook warns of an accent in which text on a page can hardly be read.
func (r fields) checkLook(n spec.Node, k *Kit) {
	accent := k.Look().Accent
	if accent == "" {
		return
	}
	if c := site.Contrast(accent, "#ffffff"); c < site.MinContrast {
		v, _ := n.Get("colors")
		r.ps.Warn(at(v, "accent"), "", "the colour %s has a contrast of %.1f to white, and text needs %.1f: the pages show it darker", accent, c, site.MinContrast)
	}
}

func hexColour(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdef") == ""
}

// texts reads a text in several languages.
func (r fields) texts(n spec.Node, key string) map[string]string {
	const example = "labels: {de: Neues und Angebote}"
	v, ok := n.Get(key)
	if !ok {
		return nil
	}
	if v.Kind != spec.Map {
		r.ps.Add(v.Pos, example, "%s are a map of languages to texts", key)
		return nil
	}
	texts := map[string]string{}
	for _, f := range v.Fields {
		if !validLocale(f.Key) || !f.Value.Scalar() || f.Value.Text == "" {
			r.ps.Add(f.Pos, example, "%q is not the tag of a language with a text", f.Key)
			continue
		}
		texts[f.Key] = f.Value.Text
	}
	return texts
}

// confirmable gives a message that answers a sign-up the link that confirms it,
// and returns the link; empty for every other message.
func confirmable(vars content.Vars, d *profile.Delivery, ref site.Delivery, now event.Time, links Links) string {
	purposes := d.Props.Text("purposes")
	if purposes == "" || d.Class != profile.Service {
		return ""
	}
	link := links.Confirm(ref, now, strings.Split(purposes, ","))
	if link != "" {
		vars["confirm_url"] = link
	}
	return link
}

// still are links that act for nobody: for a message that is shown to whoever
// holds its address. Pictures and codes stay.
type still struct {
	Links
	own string
}

func (still) Address(site.Return, string, string) string           { return "" }
func (s still) Unsubscribe(site.Delivery) string                   { return s.own }
func (s still) Preferences(site.Delivery) string                   { return s.own }
func (s still) Confirm(site.Delivery, event.Time, []string) string { return s.own }
func (s still) View(site.Delivery) string                          { return s.own }
func (s still) Click(_ site.Delivery, target string) string        { return target }
func (s still) Pixel(site.Delivery) string                         { return "" }
func (s still) Honeypot(site.Delivery) string                      { return "" }

// Show words a message for the browser, as [Program.Render] words it for its
// channel, with every link that would act for the customer leading to own instead,
// and nothing that counts them.
func (p *Program) Show(d *profile.Delivery, who *profile.Profile, now event.Time, own string, links Links) (html string, err error) {
	m, err := p.Render(d, who, now, still{links, own})
	if err != nil {
		return "", fmt.Errorf("wording %s for the browser: %w", d.ID, err)
	}
	return m.HTML, nil
}

// Hears reports whether a journey waits for the event.
func (p *Program) Hears(name string) bool {
	return slices.ContainsFunc(p.Journeys, func(j *journey.Definition) bool { return j.Hears(name) })
}
