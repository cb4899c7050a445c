package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net/http/httptest"
	"net/mail"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/store"
)

// reporting is a shop in London that sends reports, on a data directory that outlives
// its servers.
type reporting struct {
	t      *testing.T
	data   string
	clock  *clock.Clock
	src    *program.Source
	silent bool
	s      *server
	n      int
}

func (r *reporting) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// start starts a server, and stop ends it.
func (r *reporting) start() {
	r.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	d, err := openDirectory(r.t.Context(), r.data, opening{clock: r.clock, create: true, logger: logger})
	r.must(err)
	r.must(d.openTables(r.t.Context(), "duckdb", logger))
	r.s = &server{d: d, clock: r.clock, public: "http://shop.test", logger: logger, openPages: true, silent: r.silent}
	r.must(r.s.mail("", nil))
	r.must(r.s.openWith(r.t.Context(), r.src))
	r.must(r.s.node.Start(r.t.Context()))
	r.must(r.s.node.Engine.Arrived(r.t.Context())) // the definitions come into force
	r.s.routes()
}

func (r *reporting) stop() {
	r.t.Helper()
	r.must(r.s.close(context.WithoutCancel(r.t.Context())))
	r.must(r.s.d.close())
}

// at moves the clock and lets the server look.
func (r *reporting) at(text string) {
	r.t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", text, london(r.t))
	r.must(err)
	r.clock.Set(event.At(when))
	r.must(r.s.scheduled.Round(r.t.Context()))
}

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// buys lets a customer order for a sum.
func (r *reporting) buys(who string, pounds float64) {
	r.t.Helper()
	r.n++
	var line, props event.Builder
	line.SetText("sku", "LAMP").SetText("price", fmt.Sprint(pounds)).SetText("quantity", "1")
	props.SetText("order_id", fmt.Sprint("o", r.n)).SetText("currency", "GBP").Set("products", event.ListOf(event.Nested(line.Object())))
	now := r.clock.Now()
	r.must(r.s.node.Hear(r.t.Context(), []event.Event{{ID: event.ID(fmt.Sprint("m", r.n)), Type: event.Track, Name: event.OrderCompleted, User: who, At: now, Raw: now, Trust: event.Server, Source: "test", Props: props.Object()}}))
}

// mails returns the words of what a colleague got, the oldest first.
func (r *reporting) mails(to string) (list []string) {
	r.t.Helper()
	found := r.s.catcher.Mails(mailcatcher.Filter{To: to}, mailcatcher.Page{})
	for i := range found {
		full, err := r.s.catcher.Mail(found[len(found)-1-i].ID)
		r.must(err)
		m, err := mail.ReadMessage(strings.NewReader(string(full.Source)))
		r.must(err)
		var body io.Reader = m.Body
		switch strings.ToLower(m.Header.Get("Content-Transfer-Encoding")) {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		b, err := io.ReadAll(body)
		r.must(err)
		list = append(list, full.Subject+"\n"+strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
	return list
}

func newReporting(t *testing.T, reports map[string]string) *reporting {
	t.Helper()
	files := []program.File{{Path: "shop.yaml", Body: "name: The Lamp Shop\nzone: Europe/London\ncurrency: GBP\npostal: 1 Example Street\nsenders:\n  email: {from: hello@shop.example}\n"}}
	for name, body := range reports {
		files = append(files, program.File{Path: "reports/" + name + ".yaml", Body: body})
	}
	src, err := program.New(files)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, london(t))
	return &reporting{t: t, data: filepath.Join(t.TempDir(), "data"), clock: clock.Virtual(event.At(begin)), src: src}
}

// Three mornings with restarts between them give three mails, each with the figures
// that rapport report gives for the day. The fourth finds no server, and is late.
func TestAReportGoesOutOncePerPeriodAndSaysWhenItIsLate(t *testing.T) {
	t.Parallel()
	r := newReporting(t, map[string]string{
		"daily": "report: kpis\ntitle: Yesterday\nevery: day\nat: \"08:00\"\nto: [ada@shop.example]\n",
		"hours": "report: kpis\nby: hour\nevery: day\nat: \"08:00\"\nto: [ada@shop.example, bob@shop.example]\nformat: csv\n",
	})
	const ada, bob = "ada@shop.example", "bob@shop.example"
	r.start()
	r.at("2026-03-01 12:00")
	if n := len(r.mails("")); n != 0 {
		t.Fatalf("%d mails went out before anything was due", n)
	}
	for day := 2; day <= 4; day++ {
		for i := range day {
			r.buys(fmt.Sprint("customer-", i), float64(10*day))
		}
		r.stop()
		r.start()
		r.at(fmt.Sprintf("2026-03-%02d 08:01", day))
		r.at(fmt.Sprintf("2026-03-%02d 08:02", day))
		r.stop()
		r.start()
		r.at(fmt.Sprintf("2026-03-%02d 09:00", day))
		if n := len(r.mails(bob)); n != day-1 {
			t.Fatalf("after the morning of day %d there are %d mails", day, n)
		}
	}
	r.buys("customer-9", 7)
	r.stop()
	r.start()
	r.at("2026-03-07 11:42") // two mornings found no server, and this one was late
	r.at("2026-03-07 11:43")
	yesterday, hours := []string{}, r.mails(bob)
	for _, m := range r.mails(ada) {
		if strings.Contains(m, "Yesterday of The Lamp Shop") {
			yesterday = append(yesterday, m)
		}
	}
	if len(yesterday) != 4 || len(hours) != 4 {
		t.Fatalf("there are %d and %d mails:\n%s", len(yesterday), len(hours), strings.Join(yesterday, "\n"))
	}
	rows, err := r.s.d.store.DeliveryCounts(t.Context())
	if err != nil || len(rows) != 0 {
		t.Errorf("reports are counted among the deliveries: %v %v", rows, err)
	}
	r.stop()
	for i, m := range yesterday {
		from := time.Date(2026, 3, 1+i, 0, 0, 0, 0, london(t))
		if i == 3 {
			from = time.Date(2026, 3, 6, 0, 0, 0, 0, london(t))
		}
		period := []string{"kpis", "--data", r.data, "--from", from.Format(time.DateOnly), "--to", from.AddDate(0, 0, 1).Format(time.DateOnly), "--zone", "Europe/London"}
		table, _ := say(t, exitDone, append([]string{"report"}, period...)...)
		if i < 3 { // what stands before the rows is as of now, when everybody has bought
			table = table[strings.Index(table, "\nrows\n"):]
		}
		if !strings.Contains(m, table) {
			t.Errorf("the mail is\n%s\nand rapport report says\n%s", m, table)
		}
		row := ask(t, r.data, append([]string{"kpis"}, period[3:]...)...).KPIs.Rows
		if i == 3 {
			continue // a day without orders
		}
		orders := int64(i + 2)
		if len(row) != 1 || row[0].Orders != orders || int64(row[0].Revenue) != orders*10*orders*1e6 {
			t.Errorf("the day before morning %d had %+v", i, row)
		}
		if !strings.Contains(hours[i], fmt.Sprintf(",%d.00,", orders*10*orders)) {
			t.Errorf("the CSV does not tell the revenue: %s", hours[i])
		}
	}
	for i, m := range append(yesterday, hours...) {
		late := strings.Contains(m, "This report is late: it was due on Sat 7 Mar 2026, 08:00 and left on Sat 7 Mar 2026, 11:42 (Europe/London), because nothing was running that could send it.\n2 before it did not go out at all.")
		if said := strings.Contains(m, "late"); late != (i%4 == 3) || said != late {
			t.Errorf("mail %d: %s", i, m)
		}
	}
}

// A colleague who asked for silence gets none, the other does, and the list says so;
// what is not sent is late there and for an operator.
func TestASuppressedColleagueGetsNoReportAndALateOneIsShown(t *testing.T) {
	t.Parallel()
	r := newReporting(t, map[string]string{"daily": "report: messages\nevery: day\nat: \"08:00\"\nto: [ada@shop.example, bob@shop.example]\n"})
	r.silent = true // another instance may send
	r.start()
	r.at("2026-03-01 12:00")
	r.must(r.s.node.SuppressAddress(t.Context(), run.AddressSuppression{Channel: "email", Address: "ada@shop.example", Reason: store.Complained, At: r.clock.Now()}))
	r.at("2026-03-02 08:05")
	r.at("2026-03-02 08:20")
	list, err := r.s.scheduled.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Late == nil || list[0].Late.In(london(t)).Hour() != 8 || list[0].Sent != nil || !strings.Contains(list[0].Trouble, "nothing is sent from this data directory") {
		t.Errorf("%+v %v", list, err)
	}
	shown := func(want string) {
		t.Helper()
		w := httptest.NewRecorder()
		r.s.metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	shown("rapport_reports_late 1")
	r.stop()
	r.silent = false
	r.start()
	defer r.stop()
	r.at("2026-03-02 09:00")
	if mails := r.mails(""); len(mails) != 1 || len(r.mails("bob@shop.example")) != 1 || !strings.Contains(mails[0], "because it could not be handed over: nothing is sent from this data directory") {
		t.Errorf("the mails are %q", mails)
	}
	list, err = r.s.scheduled.List(t.Context())
	if err != nil || list[0].Late != nil || list[0].Sent == nil || list[0].Trouble != "a mail was refused: this address is not written to (complained)" {
		t.Errorf("%+v %v", list, err)
	}
	shown("rapport_reports_late 0")
}
