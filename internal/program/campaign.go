package program

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// kindOf says how the definitions of a folder are read: campaigns and service
// messages are journeys of one step.
var kindOf = map[string]struct {
	parse func(string, spec.Node, *journey.Env, *spec.Problems) *journey.Definition
	class profile.Class
}{
	"campaigns/": {journey.ParseCampaign, profile.Marketing},
	"service/":   {journey.ParseService, profile.Service},
	"journeys/":  {journey.Parse, profile.Marketing},
}

// Campaigns returns the campaigns in force, in the order of their files.
func (p *Program) Campaigns() []*journey.Definition {
	return slices.DeleteFunc(slices.Clone(p.Journeys), func(d *journey.Definition) bool { return d.Campaign() == nil })
}

// Campaign returns the campaign in force of the name; nil if there is none.
func (p *Program) Campaign(name string) *journey.Definition {
	if d := p.Core.Journeys.Definition(name); d != nil && d.Campaign() != nil {
		return d
	}
	return nil
}

// Service returns the service message in force of the name; nil if there is none.
func (p *Program) Service(name string) *journey.Definition {
	if d := p.Core.Journeys.Definition(name); d != nil && d.IsService() {
		return d
	}
	return nil
}

// oneSteps reads the campaigns and the service messages. They stand among the
// journeys, whose names they share: what a report or a reason calls by its name
// must be one thing.
func (c *compiler) oneSteps(env *journey.Env, used map[string]bool) {
	for _, f := range slices.Concat(c.campaigns, c.services) {
		n, ok := c.document(f)
		if !ok {
			continue
		}
		dir, base := path.Split(f.Path)
		kind := kindOf[dir]
		c.sends(asJourney(n, kind.class))
		d := kind.parse(strings.TrimSuffix(base, ".yaml"), n, env, c.ps)
		if d == nil {
			continue
		}
		for _, other := range c.p.Journeys {
			if other.Name == d.Name {
				c.ps.Add(n.Pos, "", "%q is the name of something else already; that stands in %s", d.Name, other.Pos.File)
			}
		}
		c.p.Journeys = append(c.p.Journeys, d)
		for _, t := range d.Templates() {
			used[t] = true
		}
	}
}

// asJourney returns the journey that a definition of one step stands for, as far as
// the check of its message needs it.
func asJourney(n spec.Node, class profile.Class) spec.Node {
	text := spec.Node{Kind: spec.Text, Text: class.String(), Pos: n.Pos}
	send := spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: append(slices.Clone(n.Fields), spec.Field{Key: "class", Pos: n.Pos, Value: text})}
	step := spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: []spec.Field{{Key: "send", Pos: n.Pos, Value: send}}}
	return spec.Node{Kind: spec.Map, Pos: n.Pos, Fields: []spec.Field{{Key: "steps", Pos: n.Pos, Value: spec.Node{Kind: spec.List, Pos: n.Pos, Items: []spec.Node{step}}}}}
}

// What sells: a service message needs no consent just because it has none of it.
// The words are the roots of variables and the names of blocks; a property of the
// trigger may be called so, because a receipt says which coupon was used.
var (
	construct = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
	quotation = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	inserts   = regexp.MustCompile(`^\{%-?\s*(?:render|include|block|section)\b`)
	selling   = regexp.MustCompile(`(?:^|[^.\w-])((?:offer|coupon|voucher|promotion|promo_code|discount_code|recommendation|recommended)s?)\b`)
)

// owes checks that a template which is sent as service sells nothing.
func (c *compiler) owes(name string) {
	layout := "default"
	for _, f := range c.templated {
		if n, _, ok := templateName(f.Path); !ok || n != name {
			continue
		}
		if chosen := layoutOf.FindStringSubmatch(f.Body); chosen != nil {
			layout = chosen[1]
		}
		c.sells(f, name)
	}
	for _, f := range c.layouts {
		if n, _, ok := templateName(f.Path); ok && n == layout {
			c.sells(f, name)
		}
	}
}

// layoutOf finds the layout that the settings on top of a template choose.
var layoutOf = regexp.MustCompile(`(?m)\A---\n(?:.*\n)*?layout:\s*([a-z0-9_-]+)`)

// sells reports each place of a file that sells.
func (c *compiler) sells(f File, template string) {
	for _, at := range construct.FindAllStringIndex(f.Body, -1) {
		code := f.Body[at[0]:at[1]]
		plain := code
		if !inserts.MatchString(code) {
			plain = quotation.ReplaceAllString(code, `""`) // words for the reader
		} else {
			plain = strings.NewReplacer(`"`, " ", `'`, " ").Replace(code)
		}
		found := selling.FindStringSubmatch(strings.Trim(plain, "{}%- \n\t"))
		if found == nil {
			continue
		}
		begin := strings.LastIndexByte(f.Body[:at[0]], '\n') + 1
		c.ps.Add(spec.Pos{File: f.Path, Line: 1 + strings.Count(f.Body[:at[0]], "\n"), Col: at[0] - begin + 1},
			"a campaign or a journey of its own, for those who agreed to it",
			"the template %s is sent as a service message, which needs no consent, so it may not sell: %q does", template, found[1])
	}
}
