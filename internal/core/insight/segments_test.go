package insight_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

var noon = event.At(time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// compile compiles segments, given as names and conditions one after the other.
func compile(t testing.TB, pairs ...string) (*insight.Segments, *condition.Env) {
	t.Helper()
	env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Zones: zones}
	var ps spec.Problems
	s := insight.Compile(sources(t, pairs...), env, &ps)
	if len(ps.All()) > 0 {
		t.Fatalf("%v", ps.All())
	}
	return s, env
}

func sources(t testing.TB, pairs ...string) (defs []insight.SegmentSource) {
	for i := 0; i < len(pairs); i += 2 {
		defs = append(defs, insight.SegmentSource{Name: pairs[i], Node: define(t, pairs[i+1])})
	}
	return defs
}

// view has the customer view a product and returns what changes.
func view(s *insight.Segments, env *condition.Env, p *profile.Profile, now event.Time) []insight.Change {
	e := &event.Event{Type: event.Track, Name: event.ProductViewed, At: now}
	p.Session = condition.Visit(p.Session, e)
	return s.Touched(p, env.Set.Fold(p, e, nil, now), now)
}

// say writes changes as "+in", "-out", hidden ones as "~", silent ones in brackets.
func say(changes []insight.Change) string {
	var list []string
	for _, c := range changes {
		s := "-"
		if c.In {
			s = "+"
		}
		if c.Hidden {
			s += "~"
		} else {
			s += c.Segment
		}
		if c.Silent {
			s = "(" + s + ")"
		}
		list = append(list, s)
	}
	return strings.Join(list, " ")
}

func TestACustomerEntersByEventsAndLeavesByTheClock(t *testing.T) {
	t.Parallel()
	s, env := compile(t,
		"window-shopper", `{'all':[{'segment':'keen'},{'did_not':'Order Completed'}]}`,
		"keen", `{'did':'Product Viewed','times':'>= 2','within':'3d'}`)
	p := profile.New(identity.ID{1})
	if got := say(s.All(p, noon, false)); got != "" || s.Next(p) != event.Never {
		t.Fatalf("at first: %q, next %s", got, s.Next(p))
	}
	if got := say(view(s, env, p, noon)); got != "" {
		t.Fatalf("after one view: %q", got)
	}
	if got := say(view(s, env, p, noon.Add(day))); got != "+keen +window-shopper" {
		t.Fatalf("after two views: %q", got)
	}
	if got := s.Members(p); !slices.Equal(got, []string{"window-shopper", "keen"}) {
		t.Fatalf("members: %v", got)
	}
	if got := s.Next(p); got != noon.Add(3*day) {
		t.Fatalf("next %s, want three days after the first view", got)
	}
	old := *p
	if got := say(s.Due(p, s.Next(p), nil)); got != "-keen -window-shopper" || s.Next(p) != event.Never || len(p.Segments) != 0 {
		t.Fatalf("when the window closes: %q, next %s, %v", got, s.Next(p), p.Segments)
	}
	if len(old.Segments) != 2 || !old.Segments[0].In || !old.Segments[1].In {
		t.Error("the old profile changed")
	}
}

func TestAnEventAtTheInstantAtWhichAWindowClosesIsNoChange(t *testing.T) {
	t.Parallel()
	s, env := compile(t, "recent", `{'did':'Product Viewed','within':'1d'}`, "its-user", `{'segment':'recent'}`, "loyal", `{'dwell':'2d','when':{'segment':'recent'}}`)
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	view(s, env, p, noon)
	if got := say(view(s, env, p, noon.Add(day))); got != "" {
		t.Errorf("seen again just in time: %q", got)
	}
	if got := say(view(s, env, p, noon.Add(2*day))); got != "+loyal" {
		t.Errorf("after two days without a break: %q", got)
	}
}

func TestDwellRestsOnAHiddenSegment(t *testing.T) {
	t.Parallel()
	s, env := compile(t, "browsing-on", `{'dwell':'2d','when':{'did':'Product Viewed','within':'3d'}}`)
	if s.Len() != 2 || len(s.Names()) != 1 {
		t.Fatalf("%d segments, named %v", s.Len(), s.Names())
	}
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	if got := say(view(s, env, p, noon)); got != "+~" {
		t.Fatalf("after the view: %q", got)
	}
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{2 * day, "+browsing-on"}, {3 * day, "-~ -browsing-on"}} {
		if next := s.Next(p); next != noon.Add(tt.after) {
			t.Fatalf("next %s, want %s", next, noon.Add(tt.after))
		}
		if got := say(s.Due(p, s.Next(p), nil)); got != tt.want {
			t.Fatalf("after %s: %q, want %q", tt.after, got, tt.want)
		}
	}
	if got := s.Members(p); got != nil {
		t.Errorf("hidden segments are not for people: %v", got)
	}
}

func TestHiddenSegmentsOfLaterConditionsAreTakenUp(t *testing.T) {
	t.Parallel()
	s, env := compile(t, "keen", `{'did':'Product Viewed','within':'3d'}`)
	var ps spec.Problems
	q := condition.Parse(define(t, `{'dwell':'1d','when':{'segment':'keen'}}`), env, &ps)
	if q == nil || s.Len() != 2 {
		t.Fatalf("%v, %d segments", ps.All(), s.Len())
	}
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	view(s, env, p, noon)
	for at, want := range map[time.Duration]bool{0: false, day - time.Millisecond: false, day: true} {
		if v := q.Eval(&condition.Context{P: p, Now: noon.Add(at)}); v.True != want {
			t.Errorf("after %s: %v", at, v.True)
		}
	}
}

func TestCatchingUpIsSilentUnlessTheSegmentSaysOtherwise(t *testing.T) {
	t.Parallel()
	env := &condition.Env{Set: condition.NewSet()}
	var ps spec.Problems
	defs := sources(t, "quiet", `{'did':'Product Viewed'}`, "loud", `{'did':'Product Viewed','within':'1d'}`)
	defs[1].Trigger = insight.Existing
	s := insight.Compile(defs, env, &ps)
	p := profile.New(identity.ID{1})
	e := &event.Event{Type: event.Track, Name: event.ProductViewed, At: noon}
	env.Set.Fold(p, e, nil, noon)
	p.Segments = []profile.Membership{{Key: 5, In: true, Since: 1, Until: noon}}
	if got := s.Due(p, noon, nil); got != nil {
		t.Errorf("a segment that does not exist any more changed: %v", got)
	}
	if got := say(s.All(p, noon, true)); got != "(+quiet) +loud" {
		t.Errorf("caught up: %q", got)
	}
	if p.Member(5).In {
		t.Error("the membership of a segment that no longer exists stays")
	}
	since := p.Member(condition.SegmentKey("quiet")).Since
	if got := say(s.All(p, noon.Add(hour), false)); got != "" || p.Member(condition.SegmentKey("quiet")).Since != since {
		t.Errorf("caught up again: %q", got)
	}
	if got := say(s.All(p, noon.Add(2*day), true)); got != "-loud" {
		t.Errorf("caught up later: %q", got)
	}
}

func TestExplainSaysWhy(t *testing.T) {
	t.Parallel()
	s, env := compile(t, "keen", `{'did':'Product Viewed','times':'>= 2','within':'3d'}`)
	p := profile.New(identity.ID{1})
	view(s, env, p, noon)
	view(s, env, p, noon.Add(hour))
	v, ok := s.Explain(p, "keen", noon.Add(2*hour))
	if !ok || !v.True || len(v.Because) != 1 || v.Because[0].Sentence(noon.Add(2*hour)) != "viewed a product 2 or more times in the last 3 days (2 times, last 1 hour ago)" {
		t.Errorf("%+v", v)
	}
	if _, ok := s.Explain(p, "kene", noon); ok || s.Cond("kene") != nil {
		t.Error("a segment that does not exist is explained")
	}
}

func TestEachKindOfTouchReachesThoseThatLook(t *testing.T) {
	t.Parallel()
	s, _ := compile(t,
		"british", `{'trait':'country','is':'GB'}`, "consenting", `{'consent':'marketing','channel':'email'}`, "reachable", `{'reachable':'email'}`,
		"mobile", `{'context':'device.type','is':'mobile'}`, "german", `{'context':'locale','starts_with':'de'}`, "awake", `{'local_time':{'from':'13:00','to':'14:00'}}`)
	for _, tt := range []struct {
		want    string
		change  func(p *profile.Profile)
		touched condition.Touched
	}{
		{"+british", func(p *profile.Profile) { p.Traits = []profile.Trait{{Name: "country", Value: event.Text("GB")}} }, condition.Touched{Traits: []string{"country"}}},
		{"+consenting", func(p *profile.Profile) {
			p.Consents = []profile.Consent{{Channel: "email", Purpose: "marketing", Granted: true}}
		}, condition.Touched{Consent: true}},
		{"+reachable", func(p *profile.Profile) { p.Traits = []profile.Trait{{Name: "email", Value: event.Text("a@b.c")}} }, condition.Touched{Reach: true}},
		{"+reachable", func(p *profile.Profile) { p.Traits = []profile.Trait{{Name: "email", Value: event.Text("a@b.c")}} }, condition.Touched{Traits: []string{"email"}}},
		{"+mobile", func(p *profile.Profile) { p.Device = "mobile" }, condition.Touched{Device: true}},
		{"+german", func(p *profile.Profile) { p.Locale = "de-AT" }, condition.Touched{Locale: true}},
		{"+awake", func(p *profile.Profile) { p.Zone = "Europe/Berlin" }, condition.Touched{Zone: true}},
	} {
		p := profile.New(identity.ID{1})
		s.All(p, noon, false)
		tt.change(p)
		if got := say(s.Touched(p, condition.Touched{}, noon)); got != "" {
			t.Errorf("nothing touched: %q", got)
		}
		if got := say(s.Touched(p, tt.touched, noon)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.touched, got, tt.want)
		}
	}
}

func TestAMisbehavingUntilIsReported(t *testing.T) {
	t.Parallel()
	// One of the two is always so, and every change of hands is an alarm for nothing.
	s, _ := compile(t, "always", `{'any':[{'local_time':{'from':'06:00','to':'18:00'}},{'local_time':{'from':'18:00','to':'06:00'}}]}`)
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	var w insight.Watch
	for range insight.MaxUnchanged - 1 {
		s.Due(p, s.Next(p), &w)
	}
	if w.Stuck() != nil {
		t.Fatalf("reported too early: %v", w.Stuck())
	}
	for range 5 {
		before := s.Next(p)
		s.Due(p, before, &w)
		if s.Next(p) < before.Add(time.Second) {
			t.Errorf("the alarm moves from %s to %s", before, s.Next(p))
		}
	}
	if !slices.Equal(w.Stuck(), []string{"always"}) {
		t.Errorf("stuck: %v", w.Stuck())
	}
}

func TestWhatIsWrongWithSegments(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 101)
	for _, tt := range []struct {
		name  string
		pairs []string
		want  string
		left  int // segments that are still there
	}{
		{"a circle", []string{"a", `{'segment':'b'}`, "b", `{'not':{'segment':'c'}}`, "c", `{'any':[{'segment':'a'},{'trait':'x','exists':true}]}`, "d", `{'trait':'x','exists':true}`}, "segments refer to each other in a circle: a → b → c → a", 1},
		{"itself", []string{"a", `{'segment':'a'}`}, "circle: a → a", 0},
		{"a circle through a memory", []string{"a", `{'dwell':'3d','when':{'segment':'a'}}`}, "circle: a → a", 0},
		{"what rests on a circle goes without a word of its own", []string{"b", `{'segment':'a'}`, "a", `{'segment':'a'}`}, "circle: a → a", 0},
		{"an unknown one", []string{"a", `{'segment':'bb'}`, "bbb", `{'trait':'x','exists':true}`}, `there is no segment "bb" (write: bbb)`, 1},
		{"two of a name", []string{"a", `{'trait':'x','exists':true}`, "a", `{'trait':'y','exists':true}`}, "there are two segments called a", 1},
		{"no name", []string{"", `{'trait':'x','exists':true}`}, `"" is no name for a segment`, 0},
		{"a long name", []string{long, `{'trait':'x','exists':true}`}, "is no name for a segment", 0},
		{"the name of a hidden one", []string{"~a", `{'trait':'x','exists':true}`}, `"~a" is no name for a segment`, 0},
	} {
		env := &condition.Env{Set: condition.NewSet()}
		var ps spec.Problems
		s := insight.Compile(sources(t, tt.pairs...), env, &ps)
		if len(ps.All()) != 1 || !strings.Contains(ps.All()[0].Error(), tt.want) || len(s.Names()) != tt.left {
			t.Errorf("%s: %v, %v left, want %q", tt.name, ps.All(), s.Names(), tt.want)
		}
	}
	var ps spec.Problems
	defs := sources(t, "a", `{'trait':'x','exists':true}`)
	defs[0].Trigger = "all"
	insight.Compile(defs, &condition.Env{Set: condition.NewSet()}, &ps)
	if !strings.Contains(fmt.Sprint(ps.All()), `the trigger of segment a is "all"`) {
		t.Errorf("%v", ps.All())
	}
	ps = spec.Problems{}
	many := make([]insight.SegmentSource, insight.MaxSegments+1)
	if s := insight.Compile(many, &condition.Env{Set: condition.NewSet()}, &ps); s.Len() != 0 || len(ps.All()) != 1 {
		t.Errorf("%d segments, %v", s.Len(), ps.All())
	}
}

// fifty are segments of which five look at product views.
func fifty(t testing.TB) (*insight.Segments, *condition.Env) {
	var pairs []string
	for i := range 50 {
		name := event.ProductViewed
		if i >= 5 {
			name = fmt.Sprintf("Page %d Liked", i)
		}
		pairs = append(pairs, fmt.Sprintf("s%d", i), fmt.Sprintf(`{'all':[{'did':'%s','times':'>= %d','within':'14d'},{'did_not':'Order Completed','within':'2d'}]}`, name, i%5+1))
	}
	return compile(t, pairs...)
}

func TestAnEventEvaluatesOnlyWhatItConcerns(t *testing.T) {
	t.Parallel()
	s, env := fifty(t)
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	if got := say(view(s, env, p, noon)); got != "+s0" {
		t.Errorf("after a view: %q", got)
	}
	if len(p.Segments) != 1 {
		t.Errorf("%d memberships are stored, want one", len(p.Segments))
	}
}

func BenchmarkTouched(b *testing.B) {
	s, env := fifty(b)
	p := profile.New(identity.ID{1})
	s.All(p, noon, false)
	for i := range 10 {
		view(s, env, p, noon.Add(time.Duration(i)*hour))
	}
	now := noon.Add(10 * hour)
	e := &event.Event{Type: event.Track, Name: event.ProductViewed, At: now}
	touched := env.Set.Fold(p, e, nil, now)
	// Asked again at the same instant nothing changes, so p serves every round.
	b.Run("five of fifty", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Touched(p, touched, now)
		}
	})
	b.Run("all fifty", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.All(p, now, false)
		}
	})
	b.Run("fold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q := *p
			env.Set.Fold(&q, e, nil, now)
		}
	})
}
