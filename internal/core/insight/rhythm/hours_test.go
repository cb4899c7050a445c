package rhythm_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/insight/rhythm"
)

// answers makes contacts of people who are written to at any hour of the day and
// answer soon. Those of the planted, whose hour is given, answer at their hour
// whenever they were written to, seven times in ten.
func answers(seed uint64, people, each int, planted map[int]int) []rhythm.Contact {
	r := rand.New(rand.NewPCG(seed, 12))
	var list []rhythm.Contact
	for i := range people {
		hour, own := planted[i]
		for range each {
			c := rhythm.Contact{Person: fmt.Sprint("p", i), Channel: "email", Sent: r.IntN(7)*24 + 8 + r.IntN(12)}
			c.Answered = r.Float64() < 0.6
			c.Hour = (c.Sent + int(r.ExpFloat64()*4)) % rhythm.Week
			if own && r.Float64() < 0.7 {
				c.Hour = (hour + r.IntN(3) - 1 + rhythm.Week) % rhythm.Week
			}
			list = append(list, c)
		}
	}
	return list
}

func TestAPlantedHourIsFoundWithTwentyContacts(t *testing.T) {
	t.Parallel()
	found, planted := 0, map[int]int{}
	for i := range 100 {
		planted[i] = i * 37 % rhythm.Week
	}
	m, err := rhythm.FitHours("email", answers(1, 500, 20, planted))
	if err != nil {
		t.Fatal(err)
	}
	for i, hour := range planted {
		b := m.Best(fmt.Sprint("p", i))
		off := (b.Hour - hour + rhythm.Week) % rhythm.Week
		if b.Own && (off <= 1 || off >= rhythm.Week-1) {
			found++
		}
		if b.Own && (b.Lift < 2 || !strings.Contains(b.Evidence("email"), rhythm.HourName(b.Hour))) {
			t.Errorf("p%d: %+v: %s", i, b, b.Evidence("email"))
		}
	}
	if found < 90 {
		t.Errorf("%d of 100 planted hours found", found)
	}
}

func TestNoiseFallsBackToPeersAndSaysSo(t *testing.T) {
	t.Parallel()
	own := 0
	m, err := rhythm.FitHours("email", answers(2, 1000, 25, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range m.Persons() {
		b := m.Best(who)
		if b.Own {
			own++
			continue
		}
		if b.Hour != m.Peers || b.Lift != 1 || !strings.Contains(b.Evidence("email"), "customers at large") {
			t.Fatalf("%s: %+v: %s", who, b, b.Evidence("email"))
		}
	}
	if own > 10 { // one in a hundred, by ownChance
		t.Errorf("%d of 1000 people without a rhythm have one", own)
	}
	if nobody := m.Best("a stranger"); nobody.Own || nobody.Hour != m.Peers {
		t.Errorf("%+v", nobody)
	}
}

func TestTheHourAtWhichTheShopWritesIsNobodysOwn(t *testing.T) {
	t.Parallel()
	// Everybody is written to on Tuesdays at ten and answers within hours.
	r := rand.New(rand.NewPCG(3, 12))
	var list []rhythm.Contact
	for i := range 300 {
		for range 25 {
			sent := 24 + 10
			list = append(list, rhythm.Contact{Person: fmt.Sprint("p", i), Sent: sent, Answered: r.Float64() < 0.5, Hour: sent + int(r.ExpFloat64()*2)})
		}
	}
	m, err := rhythm.FitHours("email", list)
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, who := range m.Persons() {
		if m.Best(who).Own {
			own++
		}
	}
	if own > 6 {
		t.Errorf("%d of 300 have an hour of their own", own)
	}
	if m.Peers != 34 {
		t.Errorf("the peers' hour is %s", rhythm.HourName(m.Peers))
	}
}

func TestTooFewContactsOrAnswersAreRefused(t *testing.T) {
	t.Parallel()
	_, err := rhythm.FitHours("sms", answers(4, 10, 25, nil))
	var few rhythm.TooFew
	if !errors.As(err, &few) || few.People != 10 || !strings.Contains(err.Error(), "it takes 200 by 20") {
		t.Errorf("%v", err)
	}
	planted := map[int]int{0: 100}
	list := answers(5, 300, 20, planted)
	m, err := rhythm.FitHours("email", list[1:]) // p0 has nineteen
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Best("p0"); b.Own || b.Contacts != 19 || !strings.Contains(b.Evidence("email"), "too few") {
		t.Errorf("%+v: %s", b, b.Evidence("email"))
	}
}

func TestHoursOfTheWeekHaveNames(t *testing.T) {
	t.Parallel()
	friday := time.Date(2024, 3, 1, 19, 30, 0, 0, time.UTC)
	if h := rhythm.HourOf(friday); h != 4*24+19 || rhythm.HourName(h) != "Friday 19:00" || rhythm.HourName(-1) != "Sunday 23:00" || rhythm.HourName(3) != "Monday 03:00" {
		t.Errorf("%d %s", h, rhythm.HourName(h))
	}
}

func TestAffinityIsDrawnTowardsPeopleAtLarge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 12))
	var list []rhythm.Reach
	truth := map[string]float64{}
	for i := range 500 {
		p := 0.05
		if i%4 == 0 {
			p = 0.5
		}
		who := fmt.Sprint("p", i)
		truth[who] = p
		n := 1 + r.IntN(40)
		k := 0
		for range n {
			if r.Float64() < p {
				k++
			}
		}
		list = append(list, rhythm.Reach{Person: who, Channel: "push", Contacts: n, Answers: k})
	}
	m := rhythm.FitChannels(list)
	own, raw, large := 0.0, 0.0, 0.0
	for _, p := range list {
		a, ok := m.Affinity(p)
		if !ok {
			t.Fatal("push is unknown")
		}
		square := func(x float64) float64 { return x * x }
		own += square(a.Rate - truth[p.Person])
		raw += square(float64(p.Answers)/float64(p.Contacts) - truth[p.Person])
		large += square(a.Rate/a.Lift - truth[p.Person])
	}
	if own >= raw || own >= large {
		t.Errorf("squared errors: %.2f, without shrinking %.2f, of everybody's rate %.2f", own, raw, large)
	}
	if a, ok := m.Affinity(rhythm.Reach{Person: "new", Channel: "push"}); !ok || a.Lift != 1 {
		t.Errorf("of somebody new: %+v", a)
	}
	if _, ok := m.Affinity(rhythm.Reach{Person: "p1", Channel: "sms", Contacts: 5}); ok {
		t.Error("an affinity to a channel of which nothing is known")
	}
	if _, ok := rhythm.FitChannels(list[:2]).Affinity(list[0]); ok {
		t.Error("an affinity by two people")
	}
}
