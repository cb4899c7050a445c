package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rapport/internal/admin"
	"rapport/internal/core/decision"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/store"
)

// fan is the customer whom the summary shows: 15719 buys jumbo bags every three
// to five weeks. Returner ordered for £77,184 and returned it 16 minutes later.
const (
	fan      = "15719"
	returner = "12346"
)

// highlights finds what is worth a look.
func (d *play) highlights(ctx context.Context, sm *summary) error {
	s := d.s
	find := func(customer string) (*profile.Profile, error) {
		id, _ := identity.Normal(identity.User, customer)
		return s.node.Find(ctx, id)
	}
	prog, err := s.node.Program(ctx)
	if err != nil {
		return err
	}
	p, err := find(returner)
	if err != nil {
		return err
	}
	sm.Customer12346 = []string{}
	if p != nil {
		sm.Customer12346 = append(sm.Customer12346, prog.Core.Segments.Members(p)...)
	}
	if p, err = find(fan); err != nil {
		return err
	}
	if p != nil {
		sm.LookAt.Customer = s.public + "/customers/" + p.ID.String()
	}
	if n := s.catcher.Count(); n > 0 {
		m, err := s.catcher.Mail(n)
		if err != nil {
			return err
		}
		sm.LookAt.mailPath, sm.LookAt.Subject = fmt.Sprintf("/mails/mail/%d", n), m.Subject
		sm.LookAt.Mail = s.public + sm.LookAt.mailPath
	}
	// The first message by id that a rule stopped because of what the customer had bought.
	var stopped *store.Delivery
	rank := map[string]int{string(decision.JustBought): 0, string(decision.Satisfied): 1, string(decision.OverCap): 2, string(decision.NoConsent): 3}
	for row, err := range s.d.store.Deliveries(ctx) {
		if err != nil {
			return err
		}
		if r, ok := rank[row.Because]; ok && !row.State.Open() && row.State != profile.Accepted && (stopped == nil || r < rank[stopped.Because]) {
			stopped = &row
		}
	}
	if stopped == nil {
		return nil
	}
	sm.LookAt.notSent = stopped.ID.String()
	sm.LookAt.NotSent = s.public + "/messages/" + sm.LookAt.notSent
	record, err := decision.Decode(string(lastRecord(stopped)))
	if err != nil {
		return err
	}
	who, err := s.node.Engine.Profile(ctx, stopped.Profile)
	if err != nil || who == nil {
		return err
	}
	sm.LookAt.Why = record.Sentence(who, record.Now)
	return nil
}

func lastRecord(d *store.Delivery) []byte {
	if len(d.Claim) > 0 {
		return d.Claim
	}
	return d.Plan
}

// status is what the demo page shows now.
func (d *play) status() *admin.DemoStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := &admin.DemoStatus{
		Now: d.progress.Now, From: demo.GoLive, To: demo.GoLive + 284*24*demo.Step, Messages: d.progress.Messages, Of: d.progress.Of,
		Doing: d.doing, Err: d.failed, Shopper: slices.Clone(d.lines), Holdouts: d.learnt,
	}
	if d.s.catcher != nil {
		st.Mails = d.s.catcher.Count()
	}
	if s := time.Since(d.started).Seconds(); !d.started.IsZero() && s > 0 {
		st.EventsPerSecond = float64(d.progress.Messages) / s
	}
	if d.summary != nil {
		look := d.summary.LookAt
		st.Done, st.EventsPerSecond, st.Found = true, d.summary.EventsPerSecond, d.summary.Understood.Sections()
		st.Highlights = admin.Highlights{
			Customer: fan, About: "buys jumbo bags every three to five weeks", Mail: look.mailPath, Subject: look.Subject, NotSent: look.notSent, Why: look.Why,
		}
	}
	return st
}

// words say a reason in two or three words.
var words = map[string]string{
	"no_consent": "no consent", "holdout": "held out to measure", "cap": "had enough messages", "gap": "too soon after the last",
	"just_bought": "just bought it", "satisfied": "bought meanwhile", "exited": "no longer wanted", "goal": "goal reached", "expired": "too late to be of use",
	"bounced": "address does not exist", "unreachable": "no address", "quiet_hours": "quiet hours", "suppressed": "unsubscribed at the last moment",
	"late": "heard too late", "duplicate": "said already", "render_failed": "could not be worded", "rejected": "refused by the mail server",
}

func word(reason string) string { return cmp.Or(words[reason], strings.ReplaceAll(reason, "_", " ")) }

// print says in four lines what happened, and where to look next.
func (s *summary) print(w io.Writer, public string, once bool) {
	fmt.Fprintf(w, "heard       %s events, %s order lines of %s customers and %s anonymous ones, £%s in all (published: 541,909 lines, £9,747,747.934)\n",
		demo.Thousands(s.Events), demo.Thousands(s.Orders.Rows), demo.Thousands(s.Orders.Customers), demo.Thousands(s.Profiles-s.Orders.Customers), s.Orders.Sum)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Segments)) {
		parts = append(parts, name+" "+demo.Thousands(s.Segments[name]))
	}
	fmt.Fprintf(w, "understood  %s\n", strings.Join(parts, ", "))
	var not []string
	reasons := slices.SortedFunc(maps.Keys(s.Deliveries.ByReason), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Deliveries.ByReason[b], s.Deliveries.ByReason[a]), cmp.Compare(a, b))
	})
	for _, r := range reasons {
		not = append(not, word(r)+" "+demo.Thousands(s.Deliveries.ByReason[r]))
	}
	fmt.Fprintf(w, "sent        %s mails, all in the catcher: %s. Not sent: %s\n", demo.Thousands(s.Accepted), yes(int64(s.Caught) == s.Accepted), strings.Join(not, ", "))
	fmt.Fprintf(w, "learnt      %d of %d holdout intervals exclude 0; the lift is 0 by construction, since mails cannot change 2011\n", s.Excluding, s.Intervals)
	fmt.Fprintf(w, "            in %.1f s, %s events/s through HTTP, log, engine, store, gate, ledger and SMTP\n", s.Seconds, demo.Thousands(int64(s.EventsPerSecond)))
	fmt.Fprintln(w, "            Invented: "+s.Invented+". Nothing shown as insight uses invented clicks.")
	demo.Write(w, s.Understood.Sections())
	if once {
		return
	}
	fmt.Fprintln(w, "\nLook next at")
	fmt.Fprintf(w, "  a customer who buys jumbo bags every 3 to 5 weeks   %s\n", s.LookAt.Customer)
	fmt.Fprintf(w, "  the mails                                           %s\n", s.LookAt.Mail)
	fmt.Fprintf(w, "  a message that was not sent: %s\n  %s\n", s.LookAt.Why, s.LookAt.NotSent)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}
