package run_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/run"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// news is the campaign with some lines changed.
func news(lines string) map[string]string {
	body := "campaign: news\naudience: {segment: everybody}\ntemplate: note\nreason: You signed up for our news\n" + lines
	if !strings.Contains(lines, "holdout") {
		body += "holdout: 0\n"
	}
	return map[string]string{"campaigns/news.yaml": body}
}

func (m *mailshot) send(name string) {
	m.t.Helper()
	_, err := m.node.SendCampaign(m.t.Context(), name, run.SendOptions{})
	m.must(err)
}

func TestItem20TwoProfilesWithOneAddressGetOneOrEachAsTheCampaignSays(t *testing.T) {
	for _, kind := range []string{"memory", "sqlite"} {
		for _, c := range []struct {
			lines string
			mails int
			want  string
		}{
			{"undo: none\n", 4, "accepted:4, dropped same_address:2"},
			{"undo: none\nsame_address: once\n", 4, "accepted:4, dropped same_address:2"},
			{"undo: none\nsame_address: each\n", 6, "accepted:6"},
		} {
			t.Run(kind+" "+c.lines, func(t *testing.T) {
				m := newMailshot(t, kind, 2, news(c.lines), nil)
				for _, user := range []string{"ann", "ben", "cat"} {
					m.hear(m.signUp(user, "home@people.example", "")...) // a family with one address
				}
				for _, user := range []string{"dan", "eve", "fay"} {
					m.hear(m.signUp(user, user+"@people.example", "")...)
				}
				f, err := m.node.PreviewCampaign(t.Context(), "news")
				m.must(err)
				m.send("news")
				m.until(m.clock.Now().Add(time.Hour))
				if to, _ := m.recipients(); len(m.sent) != c.mails || len(to) != 4 {
					t.Errorf("%d mails to %d addresses, want %d to 4", len(m.sent), len(to), c.mails)
				}
				m.wantStates("news", c.want)
				if f.Sent != int64(c.mails) || f.SameAddress != int64(6-c.mails) {
					t.Errorf("the preview promised %d and %d with an address of another, want %d and %d", f.Sent, f.SameAddress, c.mails, 6-c.mails)
				}
				// A second run is another message.
				_, err = m.node.SendCampaign(t.Context(), "news", run.SendOptions{Again: true})
				m.must(err)
				m.until(m.clock.Now().Add(time.Hour))
				if len(m.sent) != 2*c.mails {
					t.Errorf("%d mails after the second run, want %d", len(m.sent), 2*c.mails)
				}
			})
		}
	}
}

func TestTwoProfilesThatTurnOutToBeOneGetOneCopy(t *testing.T) {
	files := news("undo: none\nsame_address: each\n")
	files["policy.yaml"] = "caps: {all: {per: 1d, most: 1}}\ngap: 0s\nquiet: []\n"
	files["campaigns/more.yaml"] = strings.Replace(files["campaigns/news.yaml"], "campaign: news", "campaign: more", 1)
	for _, lanes := range []int{1, 4} {
		m := newMailshot(t, "memory", lanes, files, nil)
		// A device that signed up, and a customer; both are in the audience.
		guest := m.signUp("", "guest@people.example", "")
		for i := range guest {
			guest[i].ID, guest[i].Anon = guest[i].ID+"-g", "phone-1"
		}
		m.hear(guest...)
		m.hear(m.signUp("ada", "ada@people.example", "")...)
		m.send("news")
		m.until(m.clock.Now().Add(time.Minute))
		m.send("more") // the cap lets it wait until tomorrow
		m.until(m.clock.Now().Add(time.Minute))
		m.wantStates("more", "planned cap:2")
		m.hear(event.Event{ID: "login", Type: event.Identify, User: "ada", Anon: "phone-1", At: m.clock.Now(), Raw: m.clock.Now(), Trust: event.Server, Source: "t"})
		m.until(m.clock.Now().Add(3 * 24 * time.Hour))
		m.wantStates("news", "accepted:2") // they left before it was known that they go to one person
		m.wantStates("more", "accepted:1, dropped duplicate:1")
	}
}

func TestWithinTheUndoWindowAStopRecallsEverything(t *testing.T) {
	m := newMailshot(t, "memory", 2, news("undo: 10m\n"), nil)
	m.people(50)
	m.send("news")
	m.until(m.clock.Now().Add(9 * time.Minute))
	s, err := m.node.StopCampaign(t.Context(), "news")
	m.must(err)
	m.until(m.clock.Now().Add(48 * time.Hour))
	if len(m.sent) != 0 || s.State != "stopped" || m.states("news") != "" {
		t.Errorf("%d mails, the run is %+v, its messages [%s]; want nothing of it", len(m.sent), s, m.states("news"))
	}
	// What was never sent may be sent without saying `again`.
	m.send("news")
	m.until(m.clock.Now().Add(time.Hour))
	m.wantStates("news", "accepted:42, dropped no_consent:8")
	if _, err := m.node.SendCampaign(t.Context(), "news", run.SendOptions{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second sending = %v, want a Conflict", err)
	}
	if _, err := m.node.PauseCampaign(t.Context(), "news"); !fault.Is(err, fault.Conflict) {
		t.Errorf("pausing what is done = %v, want a Conflict", err)
	}
	if _, err := m.node.SendCampaign(t.Context(), "olds", run.SendOptions{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("sending what is not there = %v, want NotFound", err)
	}
}

func TestAStopRecallsWhatWaitsAndHasNotBegun(t *testing.T) {
	// A cap of one a day lets the second campaign's messages wait until tomorrow.
	files := news("undo: none\n")
	files["policy.yaml"] = "caps: {all: {per: 1d, most: 1}}\ngap: 0s\nquiet: []\n"
	files["campaigns/more.yaml"] = strings.Replace(files["campaigns/news.yaml"], "campaign: news", "campaign: more", 1)
	for _, lanes := range []int{1, 3} {
		m := newMailshot(t, "memory", lanes, files, nil)
		m.people(50)
		m.send("news")
		m.until(m.clock.Now().Add(time.Minute))
		m.send("more")
		m.until(m.clock.Now().Add(time.Minute))
		m.wantStates("more", "dropped no_consent:8, planned cap:42")
		_, err := m.node.PauseCampaign(t.Context(), "more")
		m.must(err)
		m.until(m.clock.Now().Add(26 * time.Hour)) // they were due an hour ago
		m.wantStates("more", "dropped no_consent:8, planned campaign_paused:42")
		_, err = m.node.StopCampaign(t.Context(), "more")
		m.must(err)
		m.until(m.clock.Now().Add(time.Second))
		m.wantStates("more", "dropped no_consent:8, recalled stopped:42")
		if len(m.sent) != 42 {
			t.Errorf("%d mails, want those of the first campaign", len(m.sent))
		}
		c, err := m.node.Campaign(t.Context(), "more")
		m.must(err)
		if r := c.Runs[0]; !r.Finish || r.Open != 0 || r.State != "stopped" {
			t.Errorf("the run is %+v, want it stopped and finished", r)
		}
	}
}

func TestEachCustomerIsWrittenToAtTheMomentOfTheirOwnClock(t *testing.T) {
	m := newMailshot(t, "memory", 2, news("undo: none\nat: 2026-12-01 09:00\nexpires: 6h\n"), nil)
	for user, zone := range map[string]string{"aki": "Asia/Tokyo", "bea": "", "cal": "America/Los_Angeles", "kir": "Pacific/Kiritimati"} {
		m.hear(m.signUp(user, user+"@people.example", zone)...)
	}
	m.send("news")
	m.until(monday.Add(3 * 24 * time.Hour))
	want := map[string]string{
		"kir": "2026-11-30T19:00", "aki": "2026-12-01T00:00", "bea": "2026-12-01T09:00", "cal": "2026-12-01T17:00",
	}
	if len(m.sent) != len(want) {
		t.Fatalf("%d mails, want %d: %s", len(m.sent), len(want), m.states("news"))
	}
	for i := range m.sent {
		user, _, _ := strings.Cut(m.sent[i].To.Address, "@")
		if got := m.at[i].Time().Format("2006-01-02T15:04"); got != want[user] {
			t.Errorf("%s was written to at %s, want %s", user, got, want[user])
		}
	}
}

func TestItem10ACampaignOfEightThatIsDownUntilTwoExpiresAndIsNotSent(t *testing.T) {
	m := newMailshot(t, "memory", 1, news("undo: none\nat: 2026-12-01 08:00\nexpires: 2h\n"), nil)
	m.people(20)
	m.send("news")
	m.clock.Set(event.At(time.Date(2026, 12, 1, 14, 0, 0, 0, time.UTC))) // nothing has run since
	m.until(m.clock.Now().Add(24 * time.Hour))
	m.wantStates("news", "dropped no_consent:3, expired expired:17")
	if len(m.sent) != 0 {
		t.Errorf("%d mails at two in the afternoon", len(m.sent))
	}
}

func TestARateIsKeptAndQuietHoursDoNotBreakIt(t *testing.T) {
	// Ordered late in the evening: everybody waits for the morning, and then comes
	// at the rate, not all at once.
	for _, lanes := range []int{1, 3} {
		m := newMailshot(t, "memory", lanes, news("undo: none\nrate: 3600/h\n"), nil)
		m.people(300)
		m.clock.Set(event.At(time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC)))
		m.send("news")
		m.until(event.At(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)))
		m.wantStates("news", "accepted:257, dropped no_consent:43")
		morning := event.At(time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC))
		for i, at := range m.at {
			if at < morning {
				t.Fatalf("a mail left at %s, in quiet hours", at)
			}
			// One a second, and at most the burst of each lane ahead.
			if most := int(at.Sub(morning).Seconds()) + 3*lanes + 3; i+1 > most {
				t.Fatalf("%d mails by %s, want at most %d", i+1, at, most)
			}
		}
	}
}

func TestThePreviewIsWhatIsSent(t *testing.T) {
	files := news("undo: none\nholdout: 20%\n")
	files["policy.yaml"] = "caps: {all: {per: 1d, most: 1}}\ngap: 0s\nquiet: []\n"
	files["campaigns/fans.yaml"] = "campaign: fans\naudience: {all: [{segment: fans}, {did: Signed Up}]}\ntemplate: note\nholdout: 0\nreason: You looked\nundo: none\n"
	m := newMailshot(t, "memory", 3, files, nil)
	m.people(210)
	for i := range 30 {
		m.does(fmt.Sprint("p", i), "Product Viewed", "sku", "x")
	}
	m.send("fans")
	m.until(m.clock.Now().Add(time.Minute))
	m.wantStates("fans", "accepted:25, dropped no_consent:5")
	// One has unsubscribed in the ledger only, as in the second after the click.
	p, err := m.node.Lookup(t.Context(), "p100")
	m.must(err)
	m.must(m.ledger.Suppress(t.Context(), store.Suppression{Subject: p.ID, Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed, At: 1}))
	f, err := m.node.PreviewCampaign(t.Context(), "news")
	m.must(err)
	before := m.states("news")
	if before != "" {
		t.Errorf("a preview has planned [%s]", before)
	}
	m.send("news")
	m.until(m.clock.Now().Add(3 * 24 * time.Hour))
	counts := map[string]int64{}
	c, err := m.node.Campaign(t.Context(), "news")
	m.must(err)
	total := int64(0)
	for _, n := range c.Messages {
		counts[n.State] += n.Count
		total += n.Count
	}
	if f.Customers != 210 || f.Audience != 210 || f.Reachable != 210 || f.Agreed != 179 || total != 210 {
		t.Errorf("the funnel is %+v over %d messages", f, total)
	}
	if f.Sent != counts["accepted"] || f.Withheld != counts["withheld"] || f.Withheld == 0 || f.Later == 0 {
		t.Errorf("the funnel is %+v, and the ledger says %v", f, c.Messages)
	}
	var said []string
	for _, n := range c.Messages {
		said = append(said, fmt.Sprintf("%s:%d", strings.TrimSuffix(n.State+" "+n.Reason, " "), n.Count))
	}
	if got := m.states("news"); strings.Join(said, ", ") == "" || len(strings.Split(got, ", ")) != len(said) {
		t.Errorf("results say %v, the ledger holds [%s]", said, got)
	}
}

func TestThePreviewCountsAddressesThatTakeMailAndAsksEachAtTheirOwnMoment(t *testing.T) {
	files := news("undo: none\nat: 2026-12-24 09:00\n") // nine in the morning is not quiet, midnight in London is
	m := newMailshot(t, "memory", 2, files, nil)
	for _, user := range []string{"ann", "ben", "cat", "dan"} {
		m.hear(m.signUp(user, user+"@people.example", "")...)
	}
	m.hear(m.signUp("fay", "fay@people.example", "Pacific/Honolulu")...) // the last to have nine o'clock
	for _, user := range []string{"gil", "hal", "ida"} {                 // of the till: no address, no consent
		m.does(user, "Signed Up")
	}
	for user, reason := range map[string]string{"ben": store.Bounced, "cat": store.Unsubscribed} {
		p, err := m.node.Lookup(t.Context(), user)
		m.must(err)
		m.must(m.ledger.Suppress(t.Context(), store.Suppression{Subject: p.ID, Channel: "email", Purpose: "marketing", Reason: reason, At: 1}))
	}
	f, err := m.node.PreviewCampaign(t.Context(), "news")
	m.must(err)
	if f.Audience != 8 || f.Reachable != 4 || f.Agreed != 3 || f.Sent != 3 || f.Later != 0 {
		t.Errorf("the funnel is %+v", f)
	}
}

func TestARunSaysWhenItGoesOnForThoseWhoseHourHasNotCome(t *testing.T) {
	m := newMailshot(t, "memory", 1, news("undo: none\nat: 2026-12-01 09:00\n"), nil)
	m.hear(m.signUp("ann", "ann@people.example", "Europe/London")...)
	m.hear(m.signUp("ned", "ned@people.example", "America/New_York")...)
	m.clock.Set(event.At(time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC)))
	m.send("news")
	m.until(m.clock.Now().Add(time.Minute))
	c, err := m.node.Campaign(t.Context(), "news")
	m.must(err)
	if r := c.Runs[0]; r.Entered != 1 || r.Next != event.At(time.Date(2026, 12, 1, 14, 0, 0, 0, time.UTC)) {
		t.Errorf("the run is %+v, want that it goes on when it is nine in New York", r)
	}
	m.until(m.clock.Now().Add(6 * time.Hour))
	c, err = m.node.Campaign(t.Context(), "news")
	m.must(err)
	if r := c.Runs[0]; r.Entered != 2 || r.Next != event.Never || !r.Finish {
		t.Errorf("the run is %+v, want that it is done", r)
	}
}

func TestAReplayOfTheLogPlansTheSame(t *testing.T) {
	m := newMailshot(t, "memory", 2, news("undo: none\nrate: 18000/h\n"), nil)
	m.people(200)
	m.send("news")
	m.until(m.clock.Now().Add(10 * time.Second))
	_, err := m.node.PauseCampaign(t.Context(), "news")
	m.must(err)
	m.until(m.clock.Now().Add(time.Minute))
	_, err = m.node.ResumeCampaign(t.Context(), "news")
	m.must(err)
	m.until(m.clock.Now().Add(time.Hour))
	want := rows(t, m.store)
	if len(want) != 200 {
		t.Fatalf("%d deliveries, want 200", len(want))
	}
	m.replays(want, nil, m.node.Engine.Program().Hash)
}

// In a replay everything is applied before the sweep begins, so the campaign walks among
// customers to whom its segment has not come: the store has them, and no members.
func TestACampaignThatWalksBeforeItsSegmentHasComeToEverybodyMeetsTheSame(t *testing.T) {
	for _, lanes := range []int{1, 4} {
		m := newMailshot(t, "memory", lanes, nil, nil)
		m.people(200)
		before, known := m.node.Engine.Program().Hash, []uint64{}
		for lane := range lanes {
			last, err := m.log.Last(t.Context(), lane)
			m.must(err)
			known = append(known, last.Seq)
		}
		files := maps.Clone(m.files)
		files["campaigns/news.yaml"] = strings.Replace(files["campaigns/news.yaml"], "segment: everybody", "segment: some", 1)
		files["segments/some.yaml"] = "segment: some\nwhen: {random: {name: pilot, share: 40%}}\n"
		m.apply(files)
		m.send("news")
		m.until(m.clock.Now().Add(time.Hour))
		want := rows(t, m.store)
		if len(want) < 50 || len(want) > 110 {
			t.Fatalf("%d deliveries, want one for each of some 80 members", len(want))
		}
		m.replays(want, known, before, m.node.Engine.Program().Hash)
	}
}

// replays wants the deliveries of a replay of the log, in which the programs were in
// force. Stop says where, lane by lane, it is committed and begins again; nil: nowhere.
func (m *mailshot) replays(want map[profile.DeliveryID]string, stop []uint64, programs ...uint64) {
	m.t.Helper()
	again := memory.New()
	for _, hash := range programs { // the log has only their hashes
		src, err := m.store.Program(m.t.Context(), hash)
		m.must(err)
		m.must(again.SaveProgram(m.t.Context(), hash, src))
	}
	for _, ends := range [][]uint64{stop, nil} {
		n, err := run.Open(m.t.Context(), run.Options{
			Log: readOnly{m.log, ends}, Store: again, Ledger: memory.NewLedger(), Workspace: "default", Key: identity.Key{7}, Clock: m.clock, NoSending: true,
		})
		m.must(err)
		m.must(n.Engine.CatchUp(m.t.Context()))
	}
	got := rows(m.t, again)
	for id, row := range want {
		if got[id] != row {
			m.t.Fatalf("a replay has the delivery %s as\n%q, the live run as\n%q", id, got[id], row)
		}
	}
	if len(got) != len(want) {
		m.t.Errorf("a replay has %d deliveries, the live run %d", len(got), len(want))
	}
}

// readOnly is a log that takes nothing, up to the ends of its lanes; nil: all of it.
type readOnly struct {
	eventlog.Log
	ends []uint64
}

func (l readOnly) Last(ctx context.Context, lane int) (eventlog.Position, error) {
	p, err := l.Log.Last(ctx, lane)
	if l.ends != nil {
		p.Seq = l.ends[lane]
	}
	return p, err
}

func (l readOnly) Read(ctx context.Context, lane int, after eventlog.Position, limit int) ([]eventlog.Record, error) {
	if l.ends != nil {
		limit = min(limit, int(l.ends[lane]-after.Seq))
	}
	return l.Log.Read(ctx, lane, after, limit)
}

func rows(t *testing.T, s store.Store) map[profile.DeliveryID]string {
	t.Helper()
	all := map[profile.DeliveryID]string{}
	for row, err := range s.Deliveries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[row.ID] = string(profile.AppendDelivery(nil, &row.Delivery)) + row.Because + string(row.Plan) + string(row.Claim)
	}
	return all
}

func TestAnEditInTheMiddleOfARunIsNoSecondMessage(t *testing.T) {
	m := newMailshot(t, "memory", 2, news("undo: none\nrate: 18000/h\n"), nil)
	m.people(200)
	m.send("news")
	m.until(m.clock.Now().Add(10 * time.Second))
	edited := news("undo: none\nrate: 18000/h\ntitle: Other words\n")
	for name, body := range m.files {
		if _, there := edited[name]; !there {
			edited[name] = body
		}
	}
	m.apply(edited)
	m.until(m.clock.Now().Add(time.Hour))
	if _, twice := m.recipients(); twice != 0 {
		t.Errorf("%d people got it twice", twice)
	}
	m.wantStates("news", "accepted:171, dropped no_consent:29")
}

func TestThePreviewSaysWhenEachClockOfTheAudienceShowsTheMoment(t *testing.T) {
	for lines, want := range map[string]string{
		"undo: none\nat: 2026-12-01 09:00\n":                      "Asia/Tokyo 2026-12-01T00:00 1, Europe/London 2026-12-01T09:00 2, America/Los_Angeles 2026-12-01T17:00 1",
		"undo: none\nat: 2026-12-01 09:00\nzone: Europe/Berlin\n": "Asia/Tokyo 2026-12-01T08:00 1, America/Los_Angeles 2026-12-01T08:00 1, Europe/London 2026-12-01T08:00 2",
		"undo: none\n": "",
	} {
		m := newMailshot(t, "memory", 1, news(lines), nil)
		for user, zone := range map[string]string{"aki": "Asia/Tokyo", "bea": "Europe/London", "ben": "", "cal": "America/Los_Angeles"} {
			m.hear(m.signUp(user, user+"@people.example", zone)...)
		}
		f, err := m.node.PreviewCampaign(t.Context(), "news")
		m.must(err)
		var said []string
		for _, z := range f.Zones {
			said = append(said, fmt.Sprintf("%s %s %d", z.Zone, z.At.Time().Format("2006-01-02T15:04"), z.Customers))
		}
		if got := strings.Join(said, ", "); !sameWords(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", lines, got, want)
		}
	}
}

// sameWords compares two lists whatever their order.
func sameWords(a, b string) bool {
	x, y := strings.Split(a, ", "), strings.Split(b, ", ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// What was never sent is not planned once its moment has passed everywhere.
func TestACampaignWhoseMomentHasPassedSaysSo(t *testing.T) {
	files := news("undo: none\nat: 2026-12-01 08:00\nexpires: 2h\n")
	files["campaigns/here.yaml"] = "campaign: here\naudience: {did: Signed Up}\ntemplate: note\nreason: You signed up\nat: 2026-12-01 08:00\nzone: Europe/London\n"
	files["campaigns/now.yaml"] = "campaign: now\naudience: {did: Signed Up}\ntemplate: note\nreason: You signed up\n"
	m := newMailshot(t, "memory", 1, files, nil)
	for _, tt := range []struct {
		at   time.Time
		want map[string]bool
	}{
		{time.Date(2026, 12, 1, 7, 59, 59, 0, time.UTC), map[string]bool{"news": false, "here": false, "now": false}},
		{time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC), map[string]bool{"news": false, "here": true, "now": false}}, // in Honolulu it is yet to come
		{time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC), map[string]bool{"news": true, "here": true, "now": false}},
	} {
		m.clock.Set(event.At(tt.at))
		for name, want := range tt.want {
			c, err := m.node.Campaign(t.Context(), name)
			m.must(err)
			if c.Passed != want {
				t.Errorf("at %s the moment of %s has passed: %v, want %v", tt.at, name, c.Passed, want)
			}
		}
	}
}
