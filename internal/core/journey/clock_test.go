package journey_test

import (
	"testing"
	"time"

	"rapport/internal/core/event"
)

// at returns the instant of a local time written as "2006-01-02 15:04 -0700".
func at(t *testing.T, s string) event.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04 -0700", s)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(v)
}

func TestWaitsUntilALocalTimeAreSafeAcrossDaylightSaving(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zone, from, clock, want string }{
		{"an ordinary day", "Europe/London", "2026-03-10 08:00 +0000", "10:00", "2026-03-10 10:00 +0000"},
		{"the time has passed today", "Europe/London", "2026-03-10 10:30 +0000", "10:00", "2026-03-11 10:00 +0000"},
		{"exactly now is tomorrow", "Europe/London", "2026-03-10 10:00 +0000", "10:00", "2026-03-11 10:00 +0000"},
		{"the day is an hour short", "Europe/London", "2026-03-28 12:00 +0000", "10:00", "2026-03-29 10:00 +0100"},
		{"the time does not exist: the next instant that does", "Europe/London", "2026-03-28 12:00 +0000", "01:30", "2026-03-29 02:00 +0100"},
		{"and again the day after", "Europe/London", "2026-03-29 02:00 +0100", "01:30", "2026-03-30 01:30 +0100"},
		{"the time comes twice: the first", "Europe/London", "2026-10-24 12:00 +0100", "01:30", "2026-10-25 01:30 +0100"},
		{"and only once", "Europe/London", "2026-10-25 01:30 +0100", "01:30", "2026-10-26 01:30 +0000"},
		{"between the two of them", "Europe/London", "2026-10-25 01:10 +0000", "01:30", "2026-10-26 01:30 +0000"},
		{"spring in New York", "America/New_York", "2026-03-07 12:00 -0500", "02:30", "2026-03-08 03:00 -0400"},
		{"half an hour on Lord Howe", "Australia/Lord_Howe", "2026-10-03 12:00 +1030", "02:15", "2026-10-04 02:30 +1100"},
		{"midnight does not exist in Cairo", "Africa/Cairo", "2026-04-23 12:00 +0200", "00:00", "2026-04-24 01:00 +0300"},
		{"a day that Samoa never had", "Pacific/Apia", "2011-12-29 13:00 -1000", "12:00", "2011-12-31 00:00 +1400"},
		{"Kiritimati, the furthest east", "Pacific/Kiritimati", "2026-03-10 08:00 +1400", "00:10", "2026-03-11 00:10 +1400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, `{trigger: {event: Visited}, steps: [{wait: {until_time: "`+c.clock+`"}}, {send: {template: a, reason: you came}}]}`)
			s.p.Zone = c.zone
			s.now = at(t, c.from)
			s.hear("Visited")
			if got, want := s.next(), at(t, c.want); got != want {
				t.Fatalf("wakes at %s, want %s", got.In(zones(c.zone)), want.In(zones(c.zone)))
			}
		})
	}
}

func TestASendTimeInTheGapOrTheOverlapFiresOnce(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {schedule: every day 01:30, zone: Europe/London}, steps: [{send: {template: a, reason: "{because}"}}]}`)
	for _, day := range []struct {
		from string
		want int
	}{{"2026-03-28 12:00 +0000", 3}, {"2026-10-24 12:00 +0100", 3}} {
		s.now = at(t, day.from)
		s.intents = nil
		s.pass(3 * 24 * time.Hour)
		if len(s.intents) != day.want {
			t.Errorf("from %s: %d messages in three days", day.from, len(s.intents))
		}
	}
}

func TestADateTriggerComesEachYearOnceAndDaysBefore(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {date: birthday, offset: -3d, at: "09:00"}, steps: [{send: {template: a, reason: "your birthday is on {trait.birthday}"}}]}`)
	s.p.Zone = "America/New_York"
	s.says("birthday", "1990-05-14")
	s.pass(3 * 365 * days)
	var got []string
	for _, in := range s.intents {
		got = append(got, in.At.In(zones("America/New_York")).Format("2006-01-02 15:04"))
	}
	want := []string{"2026-05-11 09:00", "2027-05-11 09:00", "2028-05-11 09:00"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Fatalf("came %v, want %v", got, want)
	}
	if s.next() == event.Never {
		t.Fatal("never comes again")
	}
}

func TestDatesOfManyShapesAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, repeat, from, want string }{
		{"1992-02-29", "yearly", "2026-01-01 00:00 +0000", "2026-02-28 09:00 +0000"},
		{"1992-02-29", "yearly", "2028-01-01 00:00 +0000", "2028-02-29 09:00 +0000"},
		{"--05-14", "yearly", "2026-05-14 09:00 +0000", "2027-05-14 09:00 +0000"},
		{"05-14", "yearly", "2026-05-14 08:59 +0000", "2026-05-14 09:00 +0000"},
		{"1990-05-14T00:00:00Z", "yearly", "2026-01-01 00:00 +0000", "2026-05-14 09:00 +0000"},
		{"1990-01-01", "yearly", "2026-12-31 10:00 +0000", "2027-01-01 09:00 +0000"},
		{"2026-07-01", "never", "2026-01-01 00:00 +0000", "2026-07-01 09:00 +0000"},
	} {
		s := open(t, `{trigger: {date: day, repeat: `+c.repeat+`}, steps: [{send: {template: a, reason: "{because}"}}]}`)
		s.now = at(t, c.from)
		s.says("day", c.value)
		if got, want := s.next(), at(t, c.want); got != want {
			t.Errorf("%s after %s: %s, want %s", c.value, c.from, got, want)
		}
	}
	s := open(t, `{trigger: {date: day, repeat: never}, steps: [{send: {template: a, reason: "{because}"}}]}`)
	for _, nothing := range []string{"2026-01-01", "tomorrow", "2026-02-31", "05-14", ""} {
		s.says("day", nothing)
		if got := s.next(); got != event.Never {
			t.Errorf("%q comes at %s", nothing, got)
		}
	}
}

func TestABirthdayToldOnTheDayAfterTheHourDoesNotFire(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: [{date: birthday, at: "09:00"}, {schedule: every day 15:00}], audience: {trait: birthday, exists: true}, steps: [{send: {template: a, reason: "{because}"}}]}`)
	s.says("birthday", "1990-03-02") // it is noon
	s.pass(4 * hour)
	s.want("Mon 15:00 Entered", "Mon 15:00 planned a", "Mon 15:00 Exited: the path ends") // the schedule only
	w := s.world()
	w.Now = s.now.Add(-hour)
	s.now = w.Now
	s.take(w, s.set.OnAlarm(w, nil)) // the same instant once more
	s.want()
}

func TestSchedulesComeWhenTheySay(t *testing.T) {
	t.Parallel()
	const from = "2026-03-02 12:00 +0000" // a Monday
	for _, c := range []struct{ schedule, want, then string }{
		{"every monday 09:00", "2026-03-09 09:00 +0000", "2026-03-16 09:00 +0000"},
		{"every day at 09:00 and 16:00", "2026-03-02 16:00 +0000", "2026-03-03 09:00 +0000"},
		{"every weekday 09:00", "2026-03-03 09:00 +0000", "2026-03-04 09:00 +0000"},
		{"every weekend 09:00", "2026-03-07 09:00 +0000", "2026-03-08 09:00 +0000"},
		{"every tue..thu 09:00", "2026-03-03 09:00 +0000", "2026-03-04 09:00 +0000"},
		{"every tuesday and friday 18:30", "2026-03-03 18:30 +0000", "2026-03-06 18:30 +0000"},
		{"every month on the 1st at 08:00", "2026-04-01 08:00 +0100", "2026-05-01 08:00 +0100"},
		{"every month on the last day 08:00", "2026-03-31 08:00 +0100", "2026-04-30 08:00 +0100"},
		{"on 2026-12-01 09:00", "2026-12-01 09:00 +0000", ""},
		{"FREQ=DAILY;INTERVAL=2;BYHOUR=9", "2026-03-04 09:00 +0000", "2026-03-06 09:00 +0000"},
		{"FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=30", "2026-03-06 09:30 +0000", "2026-03-09 09:30 +0000"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "2026-03-16 09:00 +0000", "2026-03-30 09:00 +0100"},
		{"FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9", "2026-04-06 09:00 +0100", "2026-05-04 09:00 +0100"},
		{"FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", "2026-03-27 09:00 +0000", "2026-04-24 09:00 +0100"},
		{"FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9", "2026-03-31 09:00 +0100", "2026-05-31 09:00 +0100"},
		{"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1;BYHOUR=9", "2026-03-31 09:00 +0100", "2026-06-30 09:00 +0100"},
		{"FREQ=MONTHLY;BYDAY=MO;BYHOUR=9", "2026-03-09 09:00 +0000", "2026-03-16 09:00 +0000"},
	} {
		t.Run(c.schedule, func(t *testing.T) {
			t.Parallel()
			s := open(t, `{trigger: {schedule: "`+c.schedule+`", zone: Europe/London, start: "2026-03-02"}, steps: [{send: {template: a, reason: "{because}"}}]}`)
			s.now = at(t, from)
			first := s.next()
			if want := at(t, c.want); first != want {
				t.Fatalf("first at %s, want %s", first, want)
			}
			then := event.Never
			if c.then != "" {
				then = at(t, c.then)
			}
			s.now = first
			if got := s.next(); got != then {
				t.Fatalf("then at %s, want %s", got, then)
			}
		})
	}
}

func TestAScheduleWithoutAZoneIsEachCustomersOwn(t *testing.T) {
	t.Parallel()
	s := open(t, `{trigger: {schedule: every day 09:00}, steps: [{send: {template: a, reason: "{because}"}}]}`)
	s.p.Zone = "Asia/Tokyo"
	if got, want := s.next(), at(t, "2026-03-03 09:00 +0900"); got != want {
		t.Fatalf("in Tokyo at %s, want %s", got, want)
	}
}
