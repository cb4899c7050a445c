package condition

import (
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// MaxScores bounds the scores and affinities of one program, and maxRules what one
// score is made of: each is asked with every event that it names.
const (
	MaxScores = 200
	maxRules  = 64
)

// Score is a compiled score: points that events gave and that fade, points for
// what is so now, and other scores, added up. [ParseScores] makes it. It is
// immutable and may be used by many goroutines at once.
type Score struct {
	Name  string
	Label string // for people
	About string
	Tiers []Tier // from the lowest

	parts []part // its own, then those of the scores that it sums up
	bounds
}

// Tier is a stretch of a score with a name.
type Tier struct {
	Name string
	From profile.Points // up to the next tier
}

// bounds keep a value within limits.
type bounds struct{ least, most profile.Level }

var unbounded = bounds{-maxLevel, maxLevel}

// maxLevel is far beyond every score, and far enough from the ends of what is
// counted that some may be added up.
const maxLevel = profile.Level(1) << 56

func (b bounds) clamp(l profile.Level) profile.Level { return max(b.least, min(b.most, l)) }

// part is what one score contributes by itself.
type part struct {
	name   string
	ledger *ledger // nil: no event gives points
	states []state
	own    bounds // of the score that it is the part of
	bounds        // of its share in the sum
}

// state gives points as long as a condition holds.
type state struct {
	cond *Cond
	give profile.Points
}

// Level returns what the score is worth for the customer at c.Now.
func (s *Score) Level(c *Context) profile.Level { return s.worth(*c) }

func (s *Score) worth(c Context) profile.Level {
	var sum profile.Level
	for i := range s.parts {
		v, _ := s.parts[i].level(c)
		sum += v
	}
	return s.clamp(sum)
}

// level returns what the part is worth, and when the next points begin to count
// that are yet to.
func (p *part) level(c Context) (profile.Level, event.Time) {
	v, next := profile.Level(0), event.Never
	if p.ledger != nil {
		v, next = c.P.ScoreOf(p.ledger.key).At(c.Now)
	}
	for i := range p.states {
		if is, _ := p.states[i].cond.root.eval(c); is {
			v += p.states[i].give.Level()
		}
	}
	return p.clamp(p.own.clamp(v)), next
}

// Tier returns the tier of a level; empty below the lowest.
func (s *Score) Tier(l profile.Level) string {
	name := ""
	for i := range s.Tiers {
		if l < s.Tiers[i].From.Level() {
			break
		}
		name = s.Tiers[i].Name
	}
	return name
}

// mention notes what the score looks at.
func (s *Score) mention(d *Deps) {
	for i := range s.parts {
		if l := s.parts[i].ledger; l != nil {
			d.Events = append(d.Events, l.names()...)
			d.Series = append(d.Series, l.number)
		}
		for j := range s.parts[i].states {
			s.parts[i].states[j].cond.root.mention(d)
		}
	}
}

// Scores are the scores and affinities of one program.
type Scores struct {
	list   []*Score
	tastes []*taste
}

// Score returns the score of the name; nil if there is none.
func (s *Scores) Score(name string) *Score {
	if s == nil {
		return nil
	}
	if i := slices.IndexFunc(s.list, func(o *Score) bool { return o.Name == name }); i >= 0 {
		return s.list[i]
	}
	return nil
}

// All returns the scores in the order of their definitions.
func (s *Scores) All() []*Score {
	if s == nil {
		return nil
	}
	return slices.Clone(s.list)
}

// Affinities returns the names of the affinities that are kept: those with a
// definition, and the standard ones that something asks for.
func (s *Scores) Affinities() []string {
	if s == nil {
		return nil
	}
	names := make([]string, len(s.tastes))
	for i, t := range s.tastes {
		names[i] = t.name
	}
	return names
}

// Liking is a share of a customer's interest.
type Liking struct {
	Name   string
	Share  float64 // of all that is known of the affinity, from 0 to 1
	Weight float64 // how much it weighs now: 1 is one product looked at just now
}

// Likings returns what the customer likes as of now, the most first.
func (s *Scores) Likings(p *profile.Profile, affinity string, now event.Time) []Liking {
	if s == nil {
		return nil
	}
	t := s.taste(affinity)
	if t == nil {
		return nil
	}
	known, _ := p.TasteOf(t.key).Ripe(now)
	order := slices.Clone(known.Of)
	slices.SortStableFunc(order, func(a, b profile.Liking) int { return profile.Compare(b.Sum, 1, a.Sum, 1) })
	list := make([]Liking, 0, len(order))
	for i := range order {
		list = append(list, Liking{order[i].Name, profile.Share(order[i].Sum, known.Total), order[i].Sum.At(now, t.half).Float()})
	}
	return list
}

func (s *Scores) taste(name string) *taste {
	if i := slices.IndexFunc(s.tastes, func(t *taste) bool { return t.name == name }); i >= 0 {
		return s.tastes[i]
	}
	return nil
}
