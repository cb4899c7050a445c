package people_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// got is what an import brought.
type got struct {
	totals  people.Totals
	events  []event.Event
	held    []string
	refused []string
	shown   people.Shown
	points  []people.Checkpoint
}

var now = event.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))

func (g *got) options(kind people.Kind) people.Options {
	return people.Options{
		Kind: kind, Source: "shop", Import: "imp-1", Now: now,
		Append: func(_ context.Context, events []event.Event) error {
			g.events = append(g.events, events...)
			return nil
		},
		Suppress: func(_ context.Context, list []people.Suppression) error {
			for _, s := range list {
				g.held = append(g.held, fmt.Sprintf("%s %s/%s %s %s", s.Who.Value, s.Channel, s.Purpose, s.Reason, s.At.Time().Format("2006-01-02")))
			}
			return nil
		},
		Refuse: func(r table.Refusal) error {
			g.refused = append(g.refused, r.Error())
			return nil
		},
		Shown: func(s people.Shown) error {
			g.shown = s
			return nil
		},
		Progress: func(p people.Progress) error {
			g.points = append(g.points, p.Checkpoint)
			return nil
		},
	}
}

func imported(t *testing.T, kind people.Kind, file string, change ...func(*people.Options)) *got {
	t.Helper()
	g := &got{}
	o := g.options(kind)
	for _, c := range change {
		c(&o)
	}
	var err error
	if g.totals, err = people.Import(t.Context(), strings.NewReader(file), o); err != nil {
		t.Fatal(err)
	}
	return g
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// consents returns the consents that events say, in short.
func (g *got) consents() (list []string) {
	for i := range g.events {
		if e := &g.events[i]; e.Name == event.ConsentChanged {
			list = append(list, e.Traits.Text("email")+" "+e.Props.Text("state")+" "+e.At.Time().Format("2006-01-02"))
		}
	}
	return list
}

func TestEachVendorsExportIsToldByItsHeaderAndReadByItsWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file     string
		vendor   people.Vendor
		consents []string
		held     []string
	}{
		{
			"klaviyo.csv", people.Klaviyo,
			[]string{"ada@shop.example granted 2023-02-21", "bob@shop.example withdrawn 2024-05-01", "dan@shop.example granted 2022-07-01"},
			[]string{"bob@shop.example email/marketing unsubscribed 2024-05-01", "dan@shop.example email/ bounced 2026-03-01"},
		},
		{"mailchimp-subscribed.csv", people.Mailchimp, []string{"ada@shop.example granted 2023-03-16", "eve@shop.example granted 2021-01-05"}, nil},
		{
			"mailchimp-unsubscribed.csv", people.Mailchimp,
			[]string{"bob@shop.example withdrawn 2024-05-01", "fay@shop.example withdrawn 2024-06-02"},
			[]string{"bob@shop.example email/marketing unsubscribed 2024-05-01", "fay@shop.example email/ complained 2024-06-02"},
		},
		{"mailchimp-cleaned.csv", people.Mailchimp, []string{"cat@shop.example withdrawn 2024-07-03"}, []string{"cat@shop.example email/ bounced 2024-07-03"}},
		{
			"dotdigital.csv", people.Dotdigital,
			[]string{"ada@shop.example granted 2023-02-21", "bob@shop.example withdrawn 2024-05-01", "cat@shop.example withdrawn 2024-05-02", "dan@shop.example withdrawn 2024-05-03", "fay@shop.example withdrawn 2024-05-04"},
			[]string{"bob@shop.example email/marketing unsubscribed 2024-05-01", "cat@shop.example email/ bounced 2024-05-02", "dan@shop.example email/ complained 2024-05-03", "fay@shop.example email/ manual 2024-05-04"},
		},
		{"listmonk.csv", people.Listmonk, []string{"bob@shop.example withdrawn 2024-05-01", "cat@shop.example withdrawn 2024-05-02"}, []string{"bob@shop.example email/ manual 2024-05-01", "cat@shop.example email/ manual 2024-05-02"}},
	} {
		g := imported(t, people.Consents, fixture(t, c.file))
		if g.shown.From != c.vendor || !slices.Equal(g.consents(), c.consents) || !slices.Equal(g.held, c.held) || len(g.refused) > 0 {
			t.Errorf("%s as consents: %s\n%q\n%q\n%q", c.file, g.shown.From, g.consents(), g.held, g.refused)
		}
		// The same file says the same of those who must not be written to.
		s := imported(t, people.Suppressions, fixture(t, c.file))
		if !slices.Equal(s.held, c.held) || len(s.events) > 0 || len(s.refused) > 0 {
			t.Errorf("%s as suppressions:\n%q\nwant\n%q\n%q", c.file, s.held, c.held, s.refused)
		}
	}
}

func TestAConsentSaysWhenHowAndInWhichImport(t *testing.T) {
	t.Parallel()
	g := imported(t, people.Consents, "Email;Channel;Purpose;Status;Date;Source;Wording\n Ada@Shop.Example ;email;news;Opt-in;31.12.2024 18:30;checkout box;v3\n")
	e := g.events[0]
	if e.Props.Text("evidence") != "import imp-1, row 2: checkout box" || e.Props.Text("wording") != "v3" || e.Props.Text("purpose") != "news" || e.Traits.Text("email") != "ada@shop.example" {
		t.Errorf("%s", e.Props.AppendJSON(nil))
	}
	if e.Origin != event.Import || e.Source != event.ImportSource("imp-1") || e.At.String() != "2024-12-31T18:30:00.000Z" {
		t.Errorf("%+v", e)
	}
	again := imported(t, people.Consents, "Email;Channel;Purpose;Status;Date;Source;Wording\n Ada@Shop.Example ;email;news;Opt-in;31.12.2024 18:30;checkout box;v3\n", func(o *people.Options) { o.Import = "imp-2" })
	if again.events[0].ID != e.ID {
		t.Error("the same consent of another import is another one")
	}
}

func TestWhatCannotBeUnderstoodIsRefusedAndNeverGuessed(t *testing.T) {
	t.Parallel()
	head := "email,state,date\n"
	for _, c := range []struct{ row, want string }{
		{"ada@shop.example,granted,", "needs the date"},
		{"ada@shop.example,maybe,2025-01-01", "says neither yes nor no"},
		{"nobody,granted,2025-01-01", "no e-mail address"},
		{",granted,2025-01-01", "names nobody"},
		{"ada@shop.example,granted,2031-01-01", "lies in the future"},
		{"ada@shop.example,granted,yesterday", "a date such as"},
		{"ada@shop.example,granted", "it has 2 columns"},
		{"\"ada@shop.example,granted,2025-01-01", "never closed"},
	} {
		g := imported(t, people.Consents, head+c.row+"\nbob@shop.example,granted,2025-01-01\n")
		if len(g.refused) != 1 || !strings.Contains(g.refused[0], c.want) || !strings.HasPrefix(g.refused[0], "line 2: ") || len(g.events) != 1 {
			t.Errorf("%q: %q, %d events", c.row, g.refused, len(g.events))
		}
	}
	for _, c := range []struct {
		kind   people.Kind
		file   string
		want   string
		change func(*people.Options)
	}{
		{people.Consents, "email,date\na@b.example,2025-01-01\n", "--granted", nil},
		{people.Suppressions, "customer_id\n1\n", "an address", nil},
		{people.Events, "email,date\na@b.example,2025-01-01\n", "the field event", nil},
		{people.Consents, head + "a@b.example,granted,2025-01-01\n", "cannot be live", func(o *people.Options) { o.Live = true }},
		{people.Suppressions, head + "a@b.example,granted,2025-01-01\n", "cannot be live", func(o *people.Options) { o.Live = true }},
		{people.Consents, head + "a@b.example,granted,01/02/2025\n", "--dates dmy", nil},
	} {
		g := &got{}
		o := g.options(c.kind)
		if c.change != nil {
			c.change(&o)
		}
		if _, err := people.Import(t.Context(), strings.NewReader(c.file), o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.file, err, c.want)
		}
	}
}

func TestAnUnknownReasonHoldsBackForGood(t *testing.T) {
	t.Parallel()
	g := imported(t, people.Suppressions, "email,reason,date\na@b.example,frobnicated,2025-01-01\nb@b.example,,2025-01-01\nc@b.example,Hard bounced (5.1.1),\nd@b.example,subscribed,2025-01-01\n")
	want := []string{"a@b.example email/ manual 2025-01-01", "b@b.example email/marketing unsubscribed 2025-01-01", "c@b.example email/ bounced 2026-03-01"}
	if !slices.Equal(g.held, want) || g.totals.Silent != 1 {
		t.Errorf("%q, %+v", g.held, g.totals)
	}
}

func TestACustomersColumnsBecomeTraitsOfTheirKind(t *testing.T) {
	t.Parallel()
	g := imported(t, people.Customers, "Email,Customer ID,First Name,Shoe Size,VIP,Zip,Tags,Last Updated\nada@shop.example,7,Ada,38.5,yes,00123,\"vip, denver\",2025-05-05\n", func(o *people.Options) { o.List = "spring" })
	e := g.events[0]
	json := string(e.Traits.AppendJSON(nil))
	want := `{"email":"ada@shop.example","first_name":"Ada","shoe_size":38.5,"vip":true,"zip":"00123","lists":["spring","vip","denver"]}`
	if json != want || e.User != "7" || e.At.Time().Format("2006-01-02") != "2025-05-05" || e.Type != event.Identify {
		t.Errorf("%s\nwant\n%s %+v", json, want, e)
	}
	k := imported(t, people.Customers, fixture(t, "klaviyo.csv"))
	var names []string
	for i := range k.events {
		names = append(names, k.events[i].Name)
	}
	if !slices.Contains(names, event.MessageOpened) || !slices.Contains(names, event.MessageClicked) || slices.Contains(names, event.ConsentChanged) {
		t.Errorf("Klaviyo's customers bring %q", names)
	}
	m := imported(t, people.Customers, fixture(t, "listmonk.csv"))
	if v, ok := m.events[0].Traits.Get("city"); !ok || v.Raw != "London" {
		t.Errorf("listmonk's attributes: %s", m.events[0].Traits.AppendJSON(nil))
	}
}

func TestEventsComeFromColumnsAndFromJSONLines(t *testing.T) {
	t.Parallel()
	a := imported(t, people.Events, "event,date,email,sku,price\nProduct Viewed,2025-01-01T10:00:00Z,ada@shop.example,LAMP,9.5\n")
	b := imported(t, people.Events, `{"event":"Product Viewed","timestamp":"2025-01-01T10:00:00Z","email":"ada@shop.example","properties":{"sku":"LAMP","price":9.5}}`+"\n")
	for _, g := range []*got{a, b} {
		if len(g.events) != 1 || string(g.events[0].Props.AppendJSON(nil)) != `{"sku":"LAMP","price":9.5}` {
			t.Fatalf("%+v %q", g.events, g.refused)
		}
	}
	c := imported(t, people.Events, "event,date,email\nIdentifier Claimed,2025-01-01,ada@shop.example\nImport Undone,2025-01-01,ada@shop.example\nOrder Completed,2025-01-01,ada@shop.example\n")
	if len(c.refused) != 3 {
		t.Errorf("%q", c.refused)
	}
}

func TestAnImportGoesOnWhereItWasCutShort(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("email,first_name\n")
	for i := range 8000 {
		fmt.Fprintf(&file, "p%d@shop.example,P%d\n", i, i)
	}
	whole := imported(t, people.Customers, file.String())
	for _, after := range whole.points[:len(whole.points)-1] {
		rest := imported(t, people.Customers, file.String(), func(o *people.Options) { o.After = after })
		if n := int64(len(rest.events)); n != 8000-after.Rows || n > 0 && rest.events[0].ID != whole.events[after.Rows].ID || rest.totals.Rows != 8000 {
			t.Errorf("after %d rows %d came", after.Rows, n)
		}
	}
	g := &got{}
	o := g.options(people.Customers)
	o.After = whole.points[0]
	if _, err := people.Import(t.Context(), strings.NewReader(strings.Replace(file.String(), "p7@", "x7@", 1)), o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "not the one") {
		t.Errorf("another file: %v", err)
	}
}

func TestItem64RowsOfAnErasedCustomerAreReportedErasedWithoutAWordOfTheirs(t *testing.T) {
	t.Parallel()
	for _, kind := range []people.Kind{people.Customers, people.Consents, people.Events} {
		file := "email,event,date,state\nada@shop.example,Product Viewed,2025-01-01,granted\nbob@shop.example,Product Viewed,2025-01-01,granted\n"
		var raw, fields int
		g := imported(t, kind, file, func(o *people.Options) {
			o.Erased = func(e *event.Event) bool { return e.Traits.Text("email") == "ada@shop.example" }
			told := o.Refuse
			o.Refuse = func(r table.Refusal) error {
				raw, fields = raw+len(r.Raw), fields+len(r.Fields)
				return told(r)
			}
		})
		if len(g.refused) != 1 || !strings.HasPrefix(g.refused[0], "line 2: erased") || raw+fields > 0 || len(g.events) != 1 || g.events[0].Traits.Text("email") != "bob@shop.example" {
			t.Errorf("%s: %q, %d bytes and %d fields kept, %d events", kind, g.refused, raw, fields, len(g.events))
		}
	}
}

func TestTheLedgerIsAskedOnceOfAllAddressesOfABatch(t *testing.T) {
	t.Parallel()
	file := "email,state,date\na@x.example,granted,2025-01-02\nb@x.example,granted,2025-01-03\nnot an address,granted,2025-01-03\nc@x.example,granted,2025-01-04\n" +
		"gone@x.example,granted,2025-01-05\nd@x.example,never_subscribed,2025-01-05\n"
	var asked [][]string
	g := imported(t, people.Consents, file, func(o *people.Options) {
		o.Held = func(_ context.Context, list []people.Suppression) error {
			var who []string
			for i := range list {
				who = append(who, list[i].Who.Value+" "+list[i].Channel+" "+list[i].Purpose)
				switch list[i].Who.Value {
				case "b@x.example", "d@x.example":
					list[i].Reason, list[i].At = store.Complained, now-5
				case "c@x.example": // only the ledger knows what it means
					list[i].Reason, list[i].At = store.Bounced, now-5
				}
			}
			asked = append(asked, who)
			return nil
		}
		o.Erased = func(e *event.Event) bool { return e.Traits.Text("email") == "gone@x.example" }
	})
	want := []string{"a@x.example email marketing", "b@x.example email marketing", "c@x.example email marketing", "d@x.example email marketing"}
	if len(asked) != 1 || !slices.Equal(asked[0], want) {
		t.Errorf("the ledger was asked %q, want once %q", asked, want)
	}
	var names []string
	for i := range g.events {
		names = append(names, g.events[i].Name+" "+g.events[i].Traits.Text("email")+g.events[i].Props.Text("address"))
	}
	if want := []string{
		event.ConsentChanged + " a@x.example", event.ConsentChanged + " b@x.example", event.Complained + " b@x.example",
		event.ConsentChanged + " c@x.example", event.Complained + " d@x.example",
	}; !slices.Equal(names, want) {
		t.Errorf("the log was told\n%q, want\n%q", names, want)
	}
	if n := g.totals; n.Rows != 6 || n.Refused != 2 || n.Granted != 1 || n.Outweighed != 2 || n.Events != 5 || n.Silent != 0 || n.People != 3 {
		t.Errorf("counted %+v", n)
	}
}
