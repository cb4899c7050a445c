package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/schedule"
)

// desk is a shop whose tables and mail server do as a test says.
type desk struct {
	t      *testing.T
	dir    string
	clock  *clock.Clock
	pr     *program.Program
	runner *schedule.Runner
	fresh  error
	asked  []report.Params
	answer func(m *channels.Message) channels.Outcome
	sent   []channels.Message
}

func newDesk(t *testing.T, body string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), clock: clock.Virtual(event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))}
	d.answer = func(*channels.Message) channels.Outcome { return channels.Outcome{State: channels.Accepted} }
	d.define(body)
	d.open(d.dir)
	d.round("")
	return d
}

func (d *desk) define(body string) {
	d.t.Helper()
	files := []program.File{{Path: "shop.yaml", Body: "name: Shop\nzone: Europe/London\ncurrency: GBP\nsenders:\n  email: {from: hello@shop.example}\n"}}
	if body != "" {
		files = append(files, program.File{Path: "reports/daily.yaml", Body: body})
	}
	src, err := program.New(files)
	if err != nil {
		d.t.Fatal(err)
	}
	pr, problems := program.Compile(src, program.Options{Workspace: "test"})
	if pr == nil {
		d.t.Fatal(problems)
	}
	d.pr = pr
}

func (d *desk) open(dir string) {
	d.t.Helper()
	runner, err := schedule.Open(schedule.Options{
		Dir: dir, Now: d.clock.Now,
		Program: func(context.Context) (*program.Program, error) { return d.pr, nil },
		Fresh:   func(context.Context) error { return d.fresh },
		Ask: func(_ context.Context, _ string, p report.Params) (any, error) {
			d.asked = append(d.asked, p)
			return map[string]any{"rows": []map[string]any{{"key": "=1+1", "orders": 7}}}, nil
		},
		Send: func(_ context.Context, batch []channels.Message) ([]channels.Outcome, error) {
			out := make([]channels.Outcome, len(batch))
			for i := range batch {
				d.sent = append(d.sent, batch[i])
				out[i] = d.answer(&batch[i])
			}
			return out, nil
		},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.runner = runner
}

// round moves the clock to an instant of UTC and looks; empty: it stays.
func (d *desk) round(text string) {
	d.t.Helper()
	if text != "" {
		at, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			d.t.Fatal(err)
		}
		d.clock.Set(event.At(at))
	}
	if err := d.runner.Round(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) state() schedule.State {
	d.t.Helper()
	list, err := d.runner.List(d.t.Context())
	if err != nil || len(list) != 1 {
		d.t.Fatal(list, err)
	}
	return list[0]
}

const daily = "report: kpis\nevery: day\nat: \"08:00\"\nto: [ada@shop.example, bob@shop.example]\n"

// Whoever is killed while a mail is on its way does not know whether it left: it is
// not sent again, and the next period is sent as ever.
func TestAMailOfWhichNobodyKnowsIsNotSentAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, daily)
	killed := t.TempDir()
	d.answer = func(*channels.Message) channels.Outcome {
		b, err := os.ReadFile(filepath.Join(d.dir, "scheduled.json"))
		if err == nil {
			err = os.WriteFile(filepath.Join(killed, "scheduled.json"), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "@") {
			t.Errorf("the book holds an address: %s", b)
		}
		return channels.Outcome{} // Unknown, which must not be repeated either
	}
	d.round("2026-03-02 08:01")
	if len(d.sent) != 2 || d.sent[0].Delivery == d.sent[1].Delivery || !d.sent[0].Service {
		t.Fatalf("%d mails: %+v", len(d.sent), d.sent)
	}
	d.round("2026-03-02 09:00")
	if s := d.state(); len(d.sent) != 2 || s.Late != nil || !strings.Contains(s.Trouble, "not known") {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	d.answer = func(*channels.Message) channels.Outcome { return channels.Outcome{State: channels.Accepted} }
	d.open(killed) // as the process that was killed left it
	d.round("2026-03-02 09:30")
	if s := d.state(); len(d.sent) != 2 || !strings.Contains(s.Trouble, "the process ended") {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	d.round("2026-03-03 08:00")
	if s := d.state(); len(d.sent) != 4 || s.Trouble != "" || s.Sent == nil {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
}

func TestAReportWaitsForTheTablesAndForTheMailServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, daily+"format: csv\n")
	d.fresh = errors.New("an import is under way")
	d.round("2026-03-02 08:00")
	d.round("2026-03-02 08:16")
	if s := d.state(); len(d.sent) != 0 || len(d.asked) != 0 || s.Late == nil || *s.Late != event.At(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) || s.Trouble != "the tables for reports were behind" {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	d.fresh = nil
	deferred := 0
	d.answer = func(m *channels.Message) channels.Outcome {
		if m.To.Address == "bob@shop.example" && deferred == 0 {
			deferred++
			return channels.Outcome{State: channels.Deferred, Detail: "busy", RetryAfter: 10 * time.Minute}
		}
		return channels.Outcome{State: channels.Accepted}
	}
	d.round("2026-03-02 08:20")
	d.round("2026-03-02 08:25")
	if s := d.state(); len(d.sent) != 2 || s.Late == nil || !strings.Contains(s.Trouble, "busy") {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	d.open(d.dir)
	d.round("2026-03-02 08:31")
	d.round("2026-03-02 08:59")
	if s := d.state(); len(d.sent) != 3 || d.sent[2].To.Address != "bob@shop.example" || d.sent[2].Delivery != d.sent[1].Delivery || s.Late != nil || s.Trouble != "" {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	if text := d.sent[0].Text; !strings.Contains(text, "This report is late: it was due on Mon 2 Mar 2026, 08:00 and left on Mon 2 Mar 2026, 08:20 (Europe/London), because the tables for reports were behind.") || !strings.Contains(text, "key,orders\n'=1+1,7\n") {
		t.Error(text)
	}
	if p := d.asked[0]; p.From != event.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) || p.To != event.At(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) || p.Zone.String() != "Europe/London" {
		t.Errorf("%+v", p)
	}
}

// A definition owes nothing of the past, whether it is new, changed, or back again, and
// a period goes out once under all of them.
func TestAPeriodGoesOutOnceWhateverBecomesOfTheDefinition(t *testing.T) {
	t.Parallel()
	d := newDesk(t, daily)
	d.round("2026-03-02 08:00")
	d.define(strings.Replace(daily, "08:00", "10:00", 1))
	d.round("2026-03-02 09:00")
	d.round("2026-03-02 10:00") // the same day as at eight
	if len(d.sent) != 2 {
		t.Errorf("%d mails", len(d.sent))
	}
	d.define("")
	d.round("2026-03-02 11:00")
	d.define(daily)
	d.round("2026-03-02 12:00")
	d.define("")
	d.round("2026-03-02 13:00")
	d.define(daily)
	d.round("2026-03-05 12:00") // it was not there in the mornings before
	if s := d.state(); len(d.sent) != 2 || s.Late != nil {
		t.Errorf("%d mails, %+v", len(d.sent), s)
	}
	d.round("2026-03-06 08:00")
	if len(d.sent) != 4 || strings.Contains(d.sent[2].Text, "late") {
		t.Errorf("%d mails", len(d.sent))
	}
}

// Whatever can be asked can be scheduled: the definitions know every report.
func TestEveryReportCanBeScheduled(t *testing.T) {
	t.Parallel()
	for _, name := range report.Names {
		body := fmt.Sprintf("report: %s\nevery: month\nat: \"00:00\"\nto: [ada@shop.example]\n", name)
		if name == "funnel" {
			body += "steps: [Product Viewed]\n"
		}
		newDesk(t, body)
	}
}
