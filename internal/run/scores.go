package run

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// CustomerScores is what scores and affinities say of a customer, and why.
type CustomerScores struct {
	Now        time.Time          `json:"now"`
	Scores     []CustomerScore    `json:"scores"`
	Affinities []CustomerAffinity `json:"affinities"`
}

// CustomerScore is one score of one customer.
type CustomerScore struct {
	Score  string      `json:"score"`
	Label  string      `json:"label"`
	About  string      `json:"about,omitempty"`
	Value  float64     `json:"value"`
	Tier   string      `json:"tier,omitempty"`
	Halves string      `json:"half_life,omitempty"` // in words: "30 days"; absent: its own points do not fade
	Parts  []ScorePart `json:"parts"`               // its own points, then the scores that it sums up
}

// ScorePart is one score's own points.
type ScorePart struct {
	Score  string       `json:"score"`
	Value  float64      `json:"value"`  // within the bounds of the sum that it is part of
	Rules  []ScoreRule  `json:"rules"`  // what gives points
	Events []ScoreEvent `json:"events"` // what gave points, the newest first; at most MaxScoreEvents
	More   int          `json:"more"`   // events before those
}

// ScoreRule is one rule of a score.
type ScoreRule struct {
	What   string  `json:"what"`   // as the end of a sentence about the customer
	Gives  float64 `json:"gives"`  // points
	Events int     `json:"events"` // how many gave points that stand; of a condition 0
	Now    float64 `json:"now"`    // what that is worth now
}

// ScoreEvent is one event that gave points.
type ScoreEvent struct {
	ID    event.ID  `json:"id"`
	Name  string    `json:"event"`
	At    time.Time `json:"at"`
	Rule  string    `json:"rule"`
	Then  float64   `json:"then"` // points
	Now   float64   `json:"now"`  // what is left of them
	Taken bool      `json:"taken_back"`
}

// CustomerAffinity is how a customer's interest is spread.
type CustomerAffinity struct {
	Affinity string   `json:"affinity"`
	Likes    []Liking `json:"likes"` // the most first
}

// Liking is one share of an interest.
type Liking struct {
	Name   string  `json:"name"`
	Share  float64 `json:"share"`  // of all that is known, from 0 to 1
	Weight float64 `json:"weight"` // 1: as much as one product looked at just now, by the standard weights
}

// MaxScoreEvents bounds the events that one score is explained with.
const MaxScoreEvents = 100

// Scores says what the scores of a customer are now, which rules gave the points and
// which events, from their history. What happened within the last second may be
// missing among the events.
func (n *Node) Scores(ctx context.Context, who *profile.Profile) (CustomerScores, error) {
	now := n.o.Clock.Now()
	out := CustomerScores{Now: now.Time(), Scores: []CustomerScore{}, Affinities: []CustomerAffinity{}}
	prog, err := n.Program(ctx)
	if err != nil || prog == nil {
		return out, err
	}
	history, err := n.counted(ctx, who)
	if err != nil {
		return out, err
	}
	c := prog.At(who, now)
	for _, s := range prog.Scores.All() {
		a := s.Explain(c, slices.Values(history))
		v := CustomerScore{Score: s.Name, Label: s.Label, About: s.About, Value: points(a.Level), Tier: a.Tier, Halves: s.Half(), Parts: []ScorePart{}}
		for i := range a.Parts {
			v.Parts = append(v.Parts, scorePart(&a.Parts[i]))
		}
		out.Scores = append(out.Scores, v)
	}
	for _, name := range prog.Scores.Affinities() {
		v := CustomerAffinity{Affinity: name, Likes: []Liking{}}
		for _, l := range prog.Scores.Likings(who, name, now) {
			v.Likes = append(v.Likes, Liking{l.Name, round(l.Share), round(l.Weight)})
		}
		out.Affinities = append(out.Affinities, v)
	}
	return out, nil
}

func scorePart(a *condition.PartAccount) ScorePart {
	v := ScorePart{Score: a.Score, Value: points(a.Level), Rules: []ScoreRule{}, Events: []ScoreEvent{}}
	for i := range a.Rules {
		r := &a.Rules[i]
		v.Rules = append(v.Rules, ScoreRule{r.What, points(r.Gives.Level()), r.Events, points(r.Level)})
	}
	for i := len(a.Entries) - 1; i >= 0; i-- {
		if len(v.Events) == MaxScoreEvents {
			v.More = i + 1
			break
		}
		e := &a.Entries[i]
		v.Events = append(v.Events, ScoreEvent{e.Event.ID, e.Event.Name, e.Event.At.Time(), a.Rules[e.Rule].What, points(e.Then.Level()), points(e.Now), e.Taken})
	}
	return v
}

// points and round leave six decimals: more says nothing to anybody.
func points(l profile.Level) float64 { return round(l.Float()) }

func round(f float64) float64 { return math.Round(f*1e6) / 1e6 }

// counted returns the events of a customer that count, in the order in which they
// were heard, as far as they are committed.
func (n *Node) counted(ctx context.Context, who *profile.Profile) ([]*event.Event, error) {
	history, err := n.heard(ctx, who)
	if err != nil {
		return nil, err
	}
	return core.Counted(eventsOf(history)), nil
}

// ScoreDifference is what would become of customers' scores if definitions came into
// force.
type ScoreDifference struct {
	InForce   string         `json:"in_force"`  // the tag of the definitions in force
	Proposed  string         `json:"proposed"`  // the tag of those that were compared
	Customers int64          `json:"customers"` // everybody
	Unread    int64          `json:"unread"`    // customers whose history is damaged: in no figure below
	Scores    []ScoreChange  `json:"scores"`    // those of either definitions, by name
	Problems  []spec.Problem `json:"problems"`  // what is wrong with the definitions; then nothing else is said
}

// ScoreChange is what would become of one score.
type ScoreChange struct {
	Score   string      `json:"score"`
	What    string      `json:"what"`    // added, changed, removed or same
	Changes int64       `json:"changes"` // customers whose tier would be another
	Up      int64       `json:"up"`      // of those to a higher tier; of a score that is added, those who come to one
	Down    int64       `json:"down"`
	Values  int64       `json:"values"` // customers whose value would differ by a hundredth or more
	Moves   []ScoreMove `json:"moves"`  // from tier to tier, the most first
	Sample  []Moved     `json:"sample"` // of those whose tier changes; at most MaxMoved
	Before  float64     `json:"mean_before"`
	After   float64     `json:"mean_after"`
}

// ScoreMove counts customers who would go from one tier to another.
type ScoreMove struct {
	From      string `json:"from"` // empty: in no tier
	To        string `json:"to"`
	Customers int64  `json:"customers"`
}

// Moved is one customer whose tier would change.
type Moved struct {
	ID     identity.ID `json:"id"`
	From   string      `json:"from"`
	To     string      `json:"to"`
	Before float64     `json:"before"`
	After  float64     `json:"after"`
}

// MaxMoved bounds the customers that are named.
const MaxMoved = 20

// PreviewScores says whose tier would change if the definitions came into force: each
// customer's history is played through the new rules, as it will be when they do. It
// changes nothing, and reads everything if a rule differs.
func (n *Node) PreviewScores(ctx context.Context, src *program.Source) (ScoreDifference, error) {
	d := ScoreDifference{Proposed: Tag(src), Scores: []ScoreChange{}, Problems: []spec.Problem{}}
	next, problems := program.Compile(src, program.Options{Workspace: n.o.Workspace, Key: n.o.Key})
	d.Problems = append(d.Problems, problems...)
	if next == nil {
		return d, nil
	}
	now, err := n.Program(ctx)
	if err != nil {
		return d, err
	}
	if now == nil {
		return d, fault.New(fault.NotFound, "no definitions are in force yet, so there is nothing to compare with")
	}
	d.InForce = Tag(now.Source)
	compared := newComparison(now, next)
	at := n.o.Clock.Now()
	anew := !now.Core.Series.Covers(next.Core.Series)
	for p, err := range n.Customers(ctx, identity.ID{}) {
		if err != nil {
			return d, err
		}
		d.Customers++
		before, after := *p, *p
		if stale := !now.Core.Current(p); stale || anew {
			history, err := n.counted(ctx, p)
			switch {
			case fault.Is(err, fault.Corrupt):
				d.Unread++
				continue
			case err != nil:
				return d, err
			}
			if stale {
				now.Core.Series.Rebuild(&before, slices.Values(history), at)
			}
			next.Core.Series.Rebuild(&after, slices.Values(history), at)
		}
		compared.add(now.At(&before, at), next.At(&after, at))
		if err := ctx.Err(); err != nil {
			return d, err
		}
	}
	d.Scores = append(d.Scores, compared.result()...)
	return d, nil
}

// comparison adds up what becomes of scores.
type comparison struct {
	pairs []pair
}

// pair is one score under both definitions; either may be nil.
type pair struct {
	old, new *condition.Score
	out      ScoreChange
	moves    map[[2]string]int64
	people   float64
}

func newComparison(now, next *program.Program) *comparison {
	c := &comparison{}
	for _, s := range now.Scores.All() {
		c.pairs = append(c.pairs, pair{old: s, new: next.Scores.Score(s.Name), out: ScoreChange{Score: s.Name}})
	}
	for _, s := range next.Scores.All() {
		if now.Scores.Score(s.Name) == nil {
			c.pairs = append(c.pairs, pair{new: s, out: ScoreChange{Score: s.Name}})
		}
	}
	for i := range c.pairs {
		p := &c.pairs[i]
		p.moves = map[[2]string]int64{}
		switch {
		case p.old == nil:
			p.out.What = program.Added
		case p.new == nil:
			p.out.What = program.Removed
		case p.old.Canonical() == p.new.Canonical():
			p.out.What = "same"
		default:
			p.out.What = program.Changed
		}
	}
	return c
}

// add compares one customer.
func (c *comparison) add(before, after *condition.Context) {
	for i := range c.pairs {
		p := &c.pairs[i]
		var was, is profile.Level
		var from, to string
		rank := 0
		if p.old != nil {
			was = p.old.Level(before)
			from = p.old.Tier(was)
			rank -= tierRank(p.old, from)
		}
		if p.new != nil {
			is = p.new.Level(after)
			to = p.new.Tier(is)
			rank += tierRank(p.new, to)
		}
		p.people++
		p.out.Before += was.Float()
		p.out.After += is.Float()
		if math.Abs(is.Float()-was.Float()) >= 0.01 {
			p.out.Values++
		}
		if from == to {
			continue
		}
		p.out.Changes++
		switch {
		case rank > 0:
			p.out.Up++
		case rank < 0:
			p.out.Down++
		}
		p.moves[[2]string{from, to}]++
		if len(p.out.Sample) < MaxMoved {
			p.out.Sample = append(p.out.Sample, Moved{after.P.ID, from, to, points(was), points(is)})
		}
	}
}

// tierRank numbers the tiers from 1; 0 is none.
func tierRank(s *condition.Score, tier string) int {
	return 1 + slices.IndexFunc(s.Tiers, func(t condition.Tier) bool { return t.Name == tier })
}

func (c *comparison) result() []ScoreChange {
	list := []ScoreChange{}
	for i := range c.pairs {
		p := &c.pairs[i]
		p.out.Moves = []ScoreMove{}
		for move, count := range p.moves {
			p.out.Moves = append(p.out.Moves, ScoreMove{move[0], move[1], count})
		}
		slices.SortFunc(p.out.Moves, func(a, b ScoreMove) int {
			return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
		})
		if p.out.Sample == nil {
			p.out.Sample = []Moved{}
		}
		if p.people > 0 {
			p.out.Before, p.out.After = round(p.out.Before/p.people), round(p.out.After/p.people)
		}
		list = append(list, p.out)
	}
	slices.SortFunc(list, func(a, b ScoreChange) int { return cmp.Compare(a.Score, b.Score) })
	return list
}

// Summary says the difference of one score in a line.
func (c *ScoreChange) Summary() string {
	switch {
	case c.What == "same" && c.Changes == 0:
		return c.Score + " stays as it is"
	case c.Changes == 0:
		return fmt.Sprintf("%s is %s; nobody changes tier, %d values differ", c.Score, c.What, c.Values)
	}
	return fmt.Sprintf("%s is %s; %d change tier: %d up, %d down", c.Score, c.What, c.Changes, c.Up, c.Down)
}
