package rhythm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight/rhythm"
)

// open is how the shop's visits lie over the weekdays from Monday: it is closed on
// Saturdays and busy on Thursdays.
var open = [7]float64{1, 1.2, 1, 2, 1, 0, 0.8}

// visits makes a year and more of a shop. Planted people come on Fridays, eight
// times in ten.
func visits(seed uint64, people, planted, days int) []rhythm.Visit {
	r := rand.New(rand.NewPCG(seed, 13))
	begin := time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC) // a Monday
	var list []rhythm.Visit
	for i := range people {
		for range 10 + r.IntN(20) {
			day := r.IntN(days)
			for r.Float64()*2 > open[day%7] {
				day = r.IntN(days)
			}
			if i < planted && r.Float64() < 0.8 {
				day = day/7*7 + 4
			}
			hour := 9 + r.IntN(9)
			list = append(list, rhythm.Visit{Person: fmt.Sprint("p", i), At: event.At(begin.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour))})
		}
	}
	return list
}

func persons(n int) (list []rhythm.Group) {
	for i := range n {
		name := fmt.Sprint("p", i)
		list = append(list, rhythm.Group{Name: name, People: []string{name}})
	}
	return list
}

func TestAPlantedFridayIsFound(t *testing.T) {
	t.Parallel()
	const people, planted = 500, 60
	found, wrong := 0, 0
	s := rhythm.Find(visits(1, people, planted, 400), persons(people), time.UTC)
	friday := map[string]bool{}
	for _, f := range s.Findings {
		var n int
		_, _ = fmt.Sscanf(f.Group, "p%d", &n)
		switch {
		case n >= planted:
			wrong++
		case f.Kind == rhythm.Weekday && f.Slot == 4 && !friday[f.Group]:
			friday[f.Group] = true
			found++
			if !strings.Contains(f.Evidence(), "on Fridays") || f.Lift < 1.3 {
				t.Errorf("%+v: %s", f, f.Evidence())
			}
		}
	}
	if found < planted*9/10 {
		t.Errorf("%d of %d planted Fridays found", found, planted)
	}
	if wrong > len(s.Findings)*5/100 {
		t.Errorf("%d of %d findings are about people without a rhythm", wrong, len(s.Findings))
	}
	if s.Tested < people*2 {
		t.Errorf("%d tests", s.Tested)
	}
}

func TestAShuffledCalendarHasNoRhythm(t *testing.T) {
	t.Parallel()
	// All is false that is found when the instants are dealt out anew, so the share
	// of what is false is the share of the deals in which anything is found.
	const people, deals = 200, 100
	groups := persons(people)
	for i := range 10 {
		g := rhythm.Group{Name: fmt.Sprint("segment ", i)}
		for j := i * 20; j < i*20+20; j++ {
			g.People = append(g.People, fmt.Sprint("p", j))
		}
		groups = append(groups, g)
	}
	any, list := 0, visits(2, people, 40, 800)
	r := rand.New(rand.NewPCG(2, 14))
	for range deals {
		r.Shuffle(len(list), func(i, j int) { list[i].At, list[j].At = list[j].At, list[i].At })
		if s := rhythm.Find(list, groups, time.UTC); len(s.Findings) > 0 {
			any++
		}
	}
	t.Logf("something was found in %d of %d", any, deals)
	if any > deals*5/100 {
		t.Errorf("something was found in %d of %d shuffled calendars", any, deals)
	}
}

func TestAShopThatIsClosedOnSaturdaysMakesNoRhythm(t *testing.T) {
	t.Parallel()
	// Everybody comes most on Thursdays and never on Saturdays, as the shop does.
	const people = 300
	groups := append(persons(people), rhythm.Group{Name: "all", People: func() (l []string) {
		for i := range people {
			l = append(l, fmt.Sprint("p", i))
		}
		return l
	}()})
	if s := rhythm.Find(visits(3, people, 0, 400), groups, time.UTC); len(s.Findings) > 0 {
		t.Errorf("%+v", s.Findings)
	}
}

func TestASegmentHasARhythmOnlyIfSeveralOfItDo(t *testing.T) {
	t.Parallel()
	const people, planted = 400, 30
	list := visits(4, people, planted, 400)
	named := func(name string, from, to int) rhythm.Group {
		g := rhythm.Group{Name: name}
		for i := from; i < to; i++ {
			g.People = append(g.People, fmt.Sprint("p", i))
		}
		return g
	}
	s := rhythm.Find(list, []rhythm.Group{named("friday", 0, 25), named("one", 29, 32), named("none", 100, 130)}, time.UTC)
	if len(s.Findings) == 0 {
		t.Fatal("nothing was found")
	}
	for _, f := range s.Findings {
		if f.Group != "friday" {
			t.Errorf("%+v", f)
		}
	}
}

func TestANovemberTakesThreeYears(t *testing.T) {
	t.Parallel()
	list := visits(5, 300, 0, 365*5)
	for year := 2023; year < 2028; year++ {
		for d := range 3 {
			list = append(list, rhythm.Visit{Person: "gifts", At: event.At(time.Date(year, 11, 10+d, 12, 0, 0, 0, time.UTC))})
		}
	}
	group := []rhythm.Group{{Name: "gifts", People: []string{"gifts"}}}
	months := func(list []rhythm.Visit) (found []rhythm.Finding) {
		for _, f := range rhythm.Find(list, group, time.UTC).Findings {
			if f.Kind == rhythm.Month {
				found = append(found, f)
			}
		}
		return found
	}
	if f := months(list); len(f) != 1 || f[0].Slot != 10 || f[0].Name() != "in November" || f[0].Times != 5 {
		t.Errorf("%+v", f)
	}
	short := slices.DeleteFunc(slices.Clone(list), func(v rhythm.Visit) bool { return v.At.Time().Year() > 2024 })
	if f := months(short); len(f) > 0 {
		t.Errorf("after two years: %+v", f)
	}
}

func TestWhoBoughtOnFewDaysIsNotAsked(t *testing.T) {
	t.Parallel()
	var list []rhythm.Visit
	for i := range 6 { // six days, one of which is the first
		list = append(list, rhythm.Visit{Person: "p0", At: event.At(time.Date(2024, 3, 1+7*i, 12, 0, 0, 0, time.UTC))})
		list = append(list, list[len(list)-1])
	}
	if s := rhythm.Find(list, persons(2), time.UTC); s.TooFew != 2 || s.Tested != 0 || len(s.Findings) != 0 {
		t.Errorf("%+v", s)
	}
	if s := rhythm.Find(nil, nil, time.UTC); s.Tested != 0 || s.TooFew != 0 {
		t.Errorf("%+v", s)
	}
}
