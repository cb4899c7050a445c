package program

import (
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/money"
	"rapport/internal/core/place"
	"rapport/internal/core/spec"
	"rapport/internal/core/wire"
	"rapport/internal/studio/picture"
)

// Options say for whom a source is compiled.
type Options struct {
	Workspace string       // part of every delivery's id
	Key       identity.Key // the workspace's secret; the zero Key is good for checking only

	// Older are sources that were in force before, in any order. People who are
	// inside a journey of theirs stay on its version, which asks its questions
	// within the new program. A journey that no longer compiles there, because a
	// segment that it asks for is gone, is left out: its people leave it. Default:
	// none, and people inside a version that is not in force leave.
	Older []*Source

	// Products is asked, at each rendering, for what templates show of a product.
	// Default: nil, and they show what events have said of it.
	Products Products

	// Known is what there is outside of the definitions: see [condition.Known].
	// Default: nil, and nothing is compared with it.
	Known *condition.Known
}

// Program is a shop's definitions, compiled. It is immutable and may be used by
// many goroutines.
type Program struct {
	Core      *core.Program
	Source    *Source
	Shop      Shop
	Policy    decision.Policy
	Segments  []Segment // in the order of the files
	Scores    *condition.Scores
	Traits    []Trait // computed, in the order of the files
	Lists     []List  // kept by hand, in the order of the files
	Journeys  []*journey.Definition
	Older     []*journey.Definition // versions that people may still be inside
	Behind    []*Source             // what Options.Older was
	Templates map[string]*Template
	Pictures  map[string]picture.Info // by the name of the file
	Locales   *Locales                // the sentences of templates, by language
	Products  Products                // see Options
	Places    *place.Map              // stores and fences; nil: none
	Reports   []Report                // that colleagues get by e-mail, in the order of the files

	// Name, Currency, Zone, Locale, Purposes and Senders are those of Shop, for
	// whoever needs only them. Senders are by channel.
	Name     string
	Currency money.Currency
	Zone     *time.Location
	Locale   string
	Purposes []Purpose
	Senders  map[string]Sender

	brandVars map[string]any // as templates see it
}

// Segment is a segment as pages show it.
type Segment struct {
	Name     string
	Label    string // for people; the name if the definition has none
	About    string // what it is for; may be empty
	Sentence string // its condition as the predicate of a sentence
	When     spec.Node
	Pos      spec.Pos
}

// Segment returns the segment of the name, and whether there is one.
func (p *Program) Segment(name string) (Segment, bool) {
	i := slices.IndexFunc(p.Segments, func(s Segment) bool { return s.Name == name })
	if i < 0 {
		return Segment{}, false
	}
	return p.Segments[i], true
}

// loadZones reads the rules of all time zones once for the process.
var loadZones = sync.OnceValues(func() (*decision.Zones, error) { return decision.LoadZones(time.LoadLocation) })

// Compile compiles a source. It returns every problem of every file, by file and
// line; the program is nil if one of them is more than a warning.
//
// The same source always compiles to the same program under one [CoreVersion].
// The binary must import time/tzdata, or the machine must have the time zone
// database; without either that is the one problem reported.
func Compile(src *Source, o Options) (*Program, []spec.Problem) {
	var ps spec.Problems
	zones, err := loadZones()
	if err != nil {
		ps.Add(spec.Pos{}, "", "%s", err.Error())
		return nil, ps.All()
	}
	c := &compiler{src: src, ps: &ps, zones: zones, p: &Program{Source: src, Products: o.Products}}
	c.sort()
	c.shop()
	c.policy()
	c.locales()
	c.templates()
	c.places()
	c.readReports()
	c.compile(o)
	problems := once(c.located(ps.All()))
	slices.SortStableFunc(problems, func(a, b spec.Problem) int {
		if d := strings.Compare(a.Pos.File, b.Pos.File); d != 0 {
			return d
		}
		return a.Pos.Line - b.Pos.Line
	})
	if ps.Bad() {
		return nil, problems
	}
	return c.p, problems
}

// once returns the problems without those that are said already: two journeys
// may find the same thing missing in shop.yaml.
func once(list []spec.Problem) []spec.Problem {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(p spec.Problem) bool {
		text := p.Error()
		twice := seen[text]
		seen[text] = true
		return twice
	})
}

// compiler makes one program.
type compiler struct {
	src   *Source
	ps    *spec.Problems
	zones *decision.Zones
	p     *Program

	shopNode  spec.Node
	segments  []File
	scored    []File
	traits    []File
	lists     []File
	journeys  []File
	campaigns []File
	services  []File
	templated []File
	layouts   []File
	blocks    []File
	sentences []File
	occasions []File
	reports   []File
	stores    []File
	fences    []File
	studio    studio
}

// places are the folders of the layout with what stands in them.
var places = []string{"shop.yaml", "policy.yaml", "segments", "traits", "lists", "scores", "journeys", "campaigns", "service", "templates", "layouts", "blocks", "locales", "pictures", "occasions", "stores", "fences", "reports"}

// sort puts the files into the places of the layout and reports those that
// stand in none: a folder with a slip of the pen in its name must not be left
// out in silence.
func (c *compiler) sort() {
	for _, f := range c.src.Files() {
		dir, base := path.Split(f.Path)
		kind := path.Ext(base)
		want := ".yaml"
		var to *[]File
		switch strings.TrimSuffix(dir, "/") {
		case "":
			if base == "shop.yaml" || base == "policy.yaml" {
				continue
			}
		case "segments":
			to = &c.segments
		case "scores":
			to = &c.scored
		case "traits":
			to = &c.traits
		case "lists":
			to = &c.lists
		case "journeys":
			to = &c.journeys
		case "pictures":
			c.picture(f)
			continue
		case "campaigns":
			to = &c.campaigns
		case "service":
			to = &c.services
		case "templates":
			to, want = &c.templated, ".liquid"
		case "layouts":
			to, want = &c.layouts, ".liquid"
		case "blocks":
			to, want = &c.blocks, ".liquid"
		case "locales":
			to = &c.sentences
		case "occasions":
			to = &c.occasions
		case "reports":
			to = &c.reports
		case "stores", "fences":
			to = new([]File) // of another kind: the reason is given below
		}
		if c.sortPlaces(dir, f) {
			continue
		}
		if kind == markup && c.sortMarkup(f) {
			continue
		}
		switch {
		case to == nil:
			first, _, _ := strings.Cut(f.Path, "/")
			instead := "one of " + strings.Join(places, ", ")
			if near := nearest(first, places); near != "" && near != first {
				instead = near
			}
			c.ps.Add(spec.Pos{File: f.Path}, instead, "no definition is looked for here")
		case kind != want && kind != ".yml":
			c.ps.Add(spec.Pos{File: f.Path}, strings.TrimSuffix(base, kind)+want, "a file in %s ends in %s", dir, want)
		case kind != want:
			c.ps.Add(spec.Pos{File: f.Path}, strings.TrimSuffix(base, kind)+want, "definitions end in .yaml, so that there is one way to write it")
		default:
			*to = append(*to, f)
		}
	}
}

// document returns the one document of a YAML file.
func (c *compiler) document(f File) (spec.Node, bool) {
	docs := ParseYAML(f.Path, 1, f.Body, c.ps)
	switch {
	case len(docs) == 1:
		return docs[0], true
	case len(docs) > 1:
		c.ps.Add(docs[1].Pos, "", "the file holds one definition; a second begins here")
	case strings.TrimSpace(f.Body) == "":
		c.ps.Add(spec.Pos{File: f.Path, Line: 1}, "", "the file is empty")
	}
	return spec.Node{}, false
}

func (c *compiler) shop() {
	c.p.Zone, c.p.Locale = time.UTC, "en"
	body, there := c.src.File("shop.yaml")
	if !there {
		c.ps.Add(spec.Pos{File: "shop.yaml"}, "name: The Gift Shop", "the file shop.yaml is missing: it says who speaks")
		return
	}
	n, ok := c.document(File{"shop.yaml", body})
	if !ok {
		return
	}
	c.shopNode = n
	s := parseShop(n, c.zones.Zone, c.ps)
	c.p.Shop = s
	c.p.brandVars = s.Kit.vars()
	c.p.Name, c.p.Currency, c.p.Locale, c.p.Purposes, c.p.Senders = s.Name, s.Currency, s.Locale, s.Purposes, s.Senders
	if loc := c.zones.Zone(s.Zone); loc != nil {
		c.p.Zone = loc
	}
}

// policy reads policy.yaml. The shop's zone and currency are said once, in
// shop.yaml; a policy may repeat them and not contradict.
func (c *compiler) policy() {
	p := decision.Defaults()
	if body, there := c.src.File("policy.yaml"); there {
		if n, ok := c.document(File{"policy.yaml", body}); ok {
			p = decision.ParsePolicy(n, c.ps)
			if _, said := n.Get("zone"); said && p.Zone != c.p.Shop.Zone {
				c.ps.Add(at(n, "zone"), c.p.Shop.Zone, "shop.yaml says the zone is %s", c.p.Shop.Zone)
			}
			if _, said := n.Get("currency"); said && p.Currency != c.p.Currency {
				c.ps.Add(at(n, "currency"), string(c.p.Currency), "shop.yaml says the currency is %s", c.p.Currency)
			}
		}
	}
	if c.p.Shop.Zone != "" {
		p.Zone = c.p.Shop.Zone
	}
	p.Currency = c.p.Currency
	c.p.Policy = p
}

// noCondition are the folders on which no condition rests, but on the segments' names.
var noCondition = []string{"segments", "journeys", "campaigns", "service", "templates", "layouts", "blocks", "locales", "pictures"}

// around returns a hash of all that conditions may rest on beside segments.
func around(src *Source) uint64 {
	var all []string
	for _, f := range src.Files() {
		if folder, _, _ := strings.Cut(f.Path, "/"); !slices.Contains(noCondition, folder) {
			all = append(all, f.Path, f.Body)
		}
	}
	return max(1, wire.Hash(append(all, CoreVersion)...))
}

// compile compiles segments and journeys and puts the core's program together.
func (c *compiler) compile(o Options) {
	p := c.p
	env := &condition.Env{Set: condition.NewSet(), Currency: p.Currency, Zone: p.Zone, Zones: c.zones.Zone, Places: p.Places, Known: o.Known, Around: around(c.src)}
	c.readTraits(env)
	c.readLists(env)
	sources, shown := c.readSegments()
	c.readScores(env, sources)
	segments := insight.Compile(sources, env, c.ps)
	for i := range shown {
		if q := segments.Cond(shown[i].Name); q != nil {
			shown[i].Sentence = q.Sentence()
		}
	}
	p.Segments = shown
	jenv := &journey.Env{Conditions: env, Template: func(name string) bool { return p.Templates[name] != nil }, Channels: Channels}
	used := map[string]bool{}
	for _, f := range c.journeys {
		n, ok := c.document(f)
		if !ok {
			continue
		}
		c.sends(n)
		d := journey.Parse(strings.TrimSuffix(path.Base(f.Path), ".yaml"), n, jenv, c.ps)
		if d == nil {
			continue
		}
		for _, other := range p.Journeys {
			if other.Name == d.Name {
				c.ps.Add(n.Pos, "", "there are two journeys called %q; the other stands in %s", d.Name, other.Pos.File)
			}
		}
		p.Journeys = append(p.Journeys, d)
		for _, t := range d.Templates() {
			used[t] = true
		}
	}
	c.oneSteps(jenv, used)
	for _, f := range c.templated {
		if name, _, ok := templateName(f.Path); ok && p.Templates[name] != nil && p.Templates[name].Pos.File == f.Path && !used[name] {
			c.ps.Warn(spec.Pos{File: f.Path, Line: 1}, "", "nothing sends the template %s", name)
		}
	}
	p.Older, p.Behind = older(o.Older, p.Journeys, jenv), o.Older
	p.Core = &core.Program{
		Hash: c.src.Hash(), Workspace: o.Workspace, Key: o.Key, Zone: p.Zone, Zones: c.zones.Zone,
		Series: env.Set, Segments: segments, Journeys: journey.NewSet(p.Journeys, p.Older),
		Gate: decision.New(o.Workspace, p.Policy, c.zones), Occasions: c.readOccasions(), Places: p.Places,
	}
}

// older compiles the journeys of earlier sources within the surroundings of this
// program: what they ask of events must be kept, and the versions in force are
// known already. What is wrong with them is nobody's to repair, so it is not
// reported.
func older(sources []*Source, current []*journey.Definition, env *journey.Env) (list []*journey.Definition) {
	type version struct {
		name string
		hash uint64
	}
	known := map[version]bool{}
	for _, d := range current {
		known[version{d.Name, d.Version}] = true
	}
	for _, src := range sources {
		for _, f := range src.Files() {
			dir, base := path.Split(f.Path)
			kind, ok := kindOf[dir]
			if !ok || path.Ext(base) != ".yaml" {
				continue
			}
			var unheard spec.Problems
			docs := ParseYAML(f.Path, 1, f.Body, &unheard)
			if len(docs) != 1 {
				continue
			}
			d := kind.parse(strings.TrimSuffix(base, ".yaml"), docs[0], env, &unheard)
			if d != nil && !known[version{d.Name, d.Version}] {
				known[version{d.Name, d.Version}] = true
				list = append(list, d)
			}
		}
	}
	return list
}

// readSegments reads the files of segments: each holds one, several documents,
// or a list.
func (c *compiler) readSegments() (sources []insight.SegmentSource, shown []Segment) {
	r := fields{c.ps}
	for _, f := range c.segments {
		nodes := definitions(f, c.ps)
		for _, n := range nodes {
			if !r.known(n, "a segment", "segment", "label", "about", "when", "trigger") {
				continue
			}
			name := r.text(n, "segment")
			if name == "" && len(nodes) == 1 {
				name = strings.TrimSuffix(path.Base(f.Path), ".yaml")
			}
			if !validName(name) {
				c.ps.Add(at(n, "segment"), "segment: loyal-customers", "the segment's name %q is not one of small letters, digits, - and _, at most %d", name, maxName)
				continue
			}
			when, there := n.Get("when")
			if !there {
				c.ps.Add(n.Pos, "when: {did: Order Completed, within: 30d}", "the segment %s does not say who is in it", name)
				continue
			}
			if trigger := r.text(n, "trigger"); trigger != "" && trigger != insight.Existing {
				c.ps.Add(at(n, "trigger"), "trigger: "+insight.Existing, "trigger is %s or is left out", insight.Existing)
				continue
			}
			s := Segment{Name: name, Label: r.text(n, "label"), About: r.text(n, "about"), When: when, Pos: n.Pos}
			if s.Label == "" {
				s.Label = name
			}
			sources = append(sources, insight.SegmentSource{Name: name, Node: when, Trigger: r.text(n, "trigger")})
			shown = append(shown, s)
		}
	}
	return sources, shown
}

// sends checks what only the whole program knows of a journey's messages: that
// somebody is set up to send them, and that customers can agree to them.
func (c *compiler) sends(n spec.Node) {
	steps, _ := n.Get("steps")
	nodes := slices.Clone(steps.Items)
	for _, f := range steps.Fields {
		nodes = append(nodes, f.Value)
	}
	for _, step := range nodes {
		send, ok := step.Get("send")
		if !ok || send.Kind != spec.Map {
			continue
		}
		text := func(key, absent string) string {
			if v, there := send.Get(key); there && v.Scalar() {
				return v.Text
			}
			return absent
		}
		channel := text("channel", "email")
		service := text("class", "marketing") == "service"
		if _, there := c.p.Senders[channel]; !there && slices.Contains(Channels, channel) {
			c.ps.Add(at(send, "channel"), "senders: {"+channel+": {from: …}} in shop.yaml", "nobody is set up in shop.yaml to send by %s", channel)
		}
		purpose := text("purpose", "marketing")
		if !service && !slices.ContainsFunc(c.p.Purposes, func(p Purpose) bool { return p.Name == purpose }) {
			c.ps.Add(at(send, "purpose"), "purposes: {"+purpose+": {label: …}} in shop.yaml", "customers cannot agree to the purpose %q: shop.yaml does not name it", purpose)
		}
		if problem := c.p.Shop.speakable(channel, purpose); problem != "" {
			c.ps.Add(at(send, "purpose"), "senders: {"+channel+": [{brand: …, from: …}]} in shop.yaml", "%s", problem)
		}
		t := c.p.Templates[text("template", "")]
		if t != nil && service {
			c.owes(t.Name)
		}
		switch {
		case t == nil || channel != "email": // the journey reports a template that is not there
		case t.Subject == "":
			c.ps.Add(at(send, "template"), "subject: Welcome, on top of it", "the template %s has no subject, so it cannot be an e-mail", t.Name)
		case !service && !t.leaves && t.words != nil:
			c.ps.Add(t.Pos, "{{ unsubscribe_url }} and {{ shop.postal }} in both parts, best in a layout",
				"the template %s is sent as marketing and does not show the way out and the shop's address", t.Name)
		}
		if channel == "email" && !service && c.p.Shop.Postal == "" {
			c.ps.Add(c.shopNode.Pos, "postal: 1 Example Street, London", "marketing by e-mail needs the shop's postal address below it (CAN-SPAM, 15 U.S.C. 7704(a)(5))")
		}
	}
}
