package journey_test

import (
	"slices"
	"testing"
	"time"

	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

func welcome(more, second string) string {
	return `{journey: welcome, trigger: {event: Signed Up}, ` + more + ` steps: [
		{name: hello, send: {template: hello, reason: you signed up}}
		{name: pause, wait: 10d}
		{name: more, send: {template: ` + second + `, reason: you signed up}}
	]}`
}

// edit puts a new version of the journey in force; the old one stays known.
func (s *shop) edit(source string) {
	s.t.Helper()
	d := parse(s.t, s.qs, source)
	d.Holdout = 0
	s.set = journey.NewSet([]*journey.Definition{d}, s.set.Definitions())
	w := s.world()
	s.take(w, s.set.CatchUp(w))
}

func TestPeopleInsideKeepTheirVersion(t *testing.T) {
	t.Parallel()
	s := open(t, welcome("", "old"))
	s.hear("Signed Up")
	s.edit(welcome("", "new"))
	s.pass(10 * days)
	if got := s.intents[1].Template; got != "old" {
		t.Fatalf("got %s", got)
	}
}

func TestAnEditThatSaysSoTakesPeopleAlongAndTheirWaitWentOn(t *testing.T) {
	t.Parallel()
	s := open(t, welcome("", "old"))
	s.hear("Signed Up")
	s.pass(4 * days)
	s.edit(welcome("move: all,", "new"))
	s.log = nil
	s.pass(6 * days) // ten days since the step was reached, not since the edit
	s.want("Thu 12:00 planned new", "Thu 12:00 Exited: the path ends")
}

func TestAnEditShowsItsMappingFirst(t *testing.T) {
	t.Parallel()
	s := open(t, welcome("", "old"))
	old := s.set.Definition("welcome")
	for _, c := range []struct {
		more string
		want []journey.Move
	}{
		{"", []journey.Move{{From: "pause"}}},
		{"move: all,", []journey.Move{{From: "pause", To: "pause"}}},
		{"move: {pause: more},", []journey.Move{{From: "pause", To: "more"}}},
		{"move: {pause: end},", []journey.Move{{From: "pause", To: "end"}}},
	} {
		if got := parse(t, s.qs, welcome(c.more, "new")).Mapping(old); !slices.Equal(got, c.want) {
			t.Errorf("%q maps %v, want %v", c.more, got, c.want)
		}
	}
}

func TestAnInstanceWhoseDefinitionIsLostLeavesAndItsMessageIsRecalled(t *testing.T) {
	t.Parallel()
	s := open(t, welcome("", "old"))
	s.hear("Signed Up")
	s.log = nil
	s.set = journey.NewSet(nil, nil)
	if len(s.set.Stuck(s.p)) != 1 {
		t.Fatal("nobody noticed that it is stuck")
	}
	w := s.world()
	s.take(w, s.set.CatchUp(w))
	s.want("Mon 12:00 Exited: the journey's definition is no longer known", "Mon 12:00 recall hello")
}

func TestTheSetGivesAVersionByItsNumber(t *testing.T) {
	t.Parallel()
	s := open(t, welcome("", "old"))
	old := s.set.Definition("welcome")
	s.edit(welcome("", "new"))
	if s.set.Version("welcome", old.Version) != old || s.set.Version("welcome", old.Version+1) != nil || s.set.Definition("welcome") == old {
		t.Fatal("versions are mixed up")
	}
	var none *journey.Set
	if none.Version("welcome", 1) != nil || none.Definition("welcome") != nil {
		t.Fatal("a nil set holds something")
	}
}

// pair opens two shops of one program with two profiles of one person.
func pair(t *testing.T, sources ...string) (a, b *shop) {
	a, b = open(t, sources...), open(t, sources...)
	b.p = profile.New([16]byte{2})
	b.set, b.qs = a.set, a.qs
	return a, b
}

// join joins b's profile into a's, or the other way round, and returns the
// united one with what was recalled.
func join(a, b *shop) (*profile.Profile, []journey.Recall) {
	p := *a.p
	p.Join(b.p)
	return &p, a.set.Join(&p, b.p)
}

func TestNobodyIsWelcomedTwiceAfterAMerge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		lead     int // days by which the first is ahead
		journeys int
		recalls  int
	}{
		{"both are at the same step: the earlier one goes on", 1, 1, 1},
		{"one is a step further", 9, 1, 1},
		{"one has finished", 12, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t, `{journey: welcome, trigger: {event: Signed Up}, steps: [
				{send: {template: one, reason: you signed up}}, {wait: 9d}, {send: {template: two, reason: you signed up}}, {wait: 2d}]}`)
			a.hear("Signed Up")
			a.pass(time.Duration(c.lead) * days)
			b.now = a.now
			b.hear("Signed Up")
			ab, recalled := join(a, b)
			ba, alsoRecalled := join(b, a)
			if len(ab.Journeys) != c.journeys || len(recalled) != c.recalls {
				t.Fatalf("%d instances, recalled %v", len(ab.Journeys), recalled)
			}
			if recalled[0].Delivery != b.p.Open[0].ID {
				t.Fatal("recalled the message of the one that had come further")
			}
			if !slices.Equal(recalled, alsoRecalled) || !slices.Equal(ab.Journeys, ba.Journeys) {
				t.Fatal("it matters who joins whom")
			}
			united := open(t)
			united.p, united.now, united.set = ab, a.now, a.set
			united.hear("Signed Up")
			if len(united.intents) != 0 {
				t.Fatal("welcomed again after the merge")
			}
		})
	}
}

func TestInstancesOfDifferentKeysLiveOnAfterAMerge(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cart)
	a.hear("Product Added", "cart_id", "1")
	b.hear("Product Added", "cart_id", "2")
	p, recalled := join(a, b)
	if len(p.Journeys) != 2 || len(recalled) != 0 {
		t.Fatalf("%v, recalled %v", p.Journeys, recalled)
	}
}

func TestAKeyThatOneSideHasHadIsNotHadAgainAfterAMerge(t *testing.T) {
	t.Parallel()
	a, b := pair(t, `{journey: thanks, trigger: {event: Order Completed, key: order_id}, steps: [{send: {template: thanks, reason: you ordered}}]}`)
	a.hear("Order Completed", "order_id", "1")
	b.hear("Order Completed", "order_id", "2")
	p, _ := join(a, b)
	s := open(t)
	s.p, s.set = p, a.set
	s.seq = 100
	s.hear("Order Completed", "order_id", "1")
	s.hear("Order Completed", "order_id", "2")
	if len(s.intents) != 0 {
		t.Fatalf("thanked again: %v", s.intents)
	}
	s.hear("Order Completed", "order_id", "3")
	if len(s.intents) != 1 {
		t.Fatal("a new order is not thanked for")
	}
}
