package program

import (
	"cmp"
	"math"
	"path"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// readScores reads the files of scores and affinities: each holds one, several
// documents, or a list. Conditions in them may refer to the segments.
func (c *compiler) readScores(env *condition.Env, segments []insight.SegmentSource) {
	r := fields{c.ps}
	var sources []condition.ScoreSource
	for _, f := range c.scored {
		nodes := definitions(f, c.ps)
		for _, n := range nodes {
			if n.Kind != spec.Map {
				c.ps.Add(n.Pos, "score: engagement", "a score is made of lines “key: value”")
				continue
			}
			key := "score"
			if _, is := n.Get("affinity"); is {
				key = "affinity"
			}
			name := r.text(n, key)
			if name == "" && len(nodes) == 1 {
				name = strings.TrimSuffix(path.Base(f.Path), ".yaml")
			}
			if !validName(name) {
				c.ps.Add(at(n, key), key+": engagement", "the name %q is not one of small letters, digits, - and _, at most %d", name, maxName)
				continue
			}
			sources = append(sources, condition.ScoreSource{Name: name, Label: r.text(n, "label"), About: r.text(n, "about"), Affinity: key == "affinity", Node: n})
		}
	}
	env.Segments = insight.Names(segments)
	c.p.Scores = condition.ParseScores(sources, env, c.ps)
}

// definitions returns the definitions of a file that holds one, several documents or
// a list.
func definitions(f File, ps *spec.Problems) (nodes []spec.Node) {
	docs := ParseYAML(f.Path, 1, f.Body, ps)
	if len(docs) == 0 && strings.TrimSpace(f.Body) == "" {
		ps.Add(spec.Pos{File: f.Path, Line: 1}, "", "the file is empty")
	}
	for _, d := range docs {
		if d.Kind == spec.List {
			nodes = append(nodes, d.Items...)
		} else {
			nodes = append(nodes, d)
		}
	}
	return nodes
}

// At returns the customer as conditions and scores are asked about them.
func (p *Program) At(who *profile.Profile, now event.Time) *condition.Context {
	return &condition.Context{P: who, Now: now, Zones: p.Core.Zones, DefaultZone: p.Zone}
}

// maxLikes bounds the names of one affinity that a template can list.
const maxLikes = 10

// understood adds to a customer what templates may show of scores: scores and tiers
// by the name of the score, and by that of an affinity what they like most, the most
// first.
func (p *Program) understood(customer map[string]any, who *profile.Profile, now event.Time) {
	c := p.At(who, now)
	if list := p.Scores.All(); len(list) > 0 {
		scores, tiers := make(map[string]any, len(list)), make(map[string]any, len(list))
		for _, s := range list {
			l := s.Level(c)
			if v := math.Round(100*l.Float()) / 100; v == math.Trunc(v) {
				scores[s.Name] = int(v) // 9, and not 9.0
			} else {
				scores[s.Name] = v
			}
			if tier := s.Tier(l); tier != "" {
				tiers[s.Name] = tier
			}
		}
		customer["scores"], customer["tiers"] = scores, tiers
	}
	if names := p.Scores.Affinities(); len(names) > 0 {
		likes := make(map[string]any, len(names))
		for _, name := range names {
			list := []any{}
			for _, l := range p.Scores.Likings(who, name, now) {
				if list = append(list, l.Name); len(list) == maxLikes {
					break
				}
			}
			likes[name] = list
		}
		customer["likes"] = likes
	}
}

// Score returns a score by its name, and a word to write instead of one that there
// is not.
func (p *Program) Score(name string) (*condition.Score, string) {
	if s := p.Scores.Score(name); s != nil {
		return s, ""
	}
	var names []string
	for _, s := range p.Scores.All() {
		names = append(names, s.Name)
	}
	return nil, cmp.Or(nearest(name, names), strings.Join(names, ", "))
}
