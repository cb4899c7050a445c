package decision

import (
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
)

// Traits that stop messages. A shop or its help desk sets and clears them.
const (
	TraitSuppressed   = "suppressed"        // nothing may go out, on no channel
	TraitComplaint    = "complaint_open"    // marketing waits
	TraitOrderLate    = "order_late"        // marketing waits
	TraitConversation = "conversation_open" // marketing waits
)

// asking is one passage of the gate.
type asking struct {
	*Gate
	p  *profile.Profile
	a  *Ask
	r  *Record
	at event.Time // when the message would go out: now, or when it is wanted

	owning recommend.Owning
}

// rules are the rules in order. Each notes what it looked at and reports whether
// the message may go on; if not, it has set the outcome.
var rules = [...]func(*asking) bool{
	(*asking).address, (*asking).consent, (*asking).reach, (*asking).wanted, (*asking).owned,
	(*asking).conversation, (*asking).holdout, (*asking).asked, (*asking).attention, (*asking).quiet,
}

// decide asks the rules in order; the first that fails is the reason.
func (g *Gate) decide(p *profile.Profile, a Ask, now event.Time) Record {
	r := Record{Ask: a, Person: p.ID, Now: now, Chance: g.chance(&a), Against: against(p, &a)}
	e := asking{Gate: g, p: p, a: &r.Ask, r: &r, at: max(now, a.At), owning: g.Policy.Owning()}
	if g.shop == nil {
		e.never(NoPolicy, Check{Rule: RulePolicy, Name: CheckPolicy})
		return r
	}
	r.Checks = make([]Check, 0, 16)
	for _, rule := range rules {
		if !rule(&e) {
			return r
		}
	}
	if a.Stage == AtClaim && a.At > now {
		r.Rule, r.Outcome, r.Reason, r.Until = RuleSlot, Later, NotYet, a.At
		r.Checks = append(r.Checks, Check{Rule: RuleSlot, Name: CheckSlot, At: a.At})
		return r
	}
	r.Outcome, r.Reason = Send, Allowed
	return r
}

func (g *Gate) chance(a *Ask) float64 {
	if a.Class == profile.Service {
		return 1
	}
	return (1 - g.Policy.Holdout) * a.Propensity
}

// against returns the other open messages of the person.
func against(p *profile.Profile, a *Ask) []profile.DeliveryID {
	var ids []profile.DeliveryID
	for i := range p.Open {
		if o := &p.Open[i]; o.ID != a.Delivery && o.State.Open() && o.Class == profile.Marketing && len(ids) < MaxAgainst {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// pass notes a check that holds.
func (e *asking) pass(c Check) bool {
	c.Pass = true
	e.r.Checks = append(e.r.Checks, c)
	return true
}

// never notes the check that stops the message for good.
func (e *asking) never(why Reason, c Check) bool {
	e.r.Checks = append(e.r.Checks, c)
	e.r.Rule, e.r.Outcome, e.r.Reason = c.Rule, Never, why
	return false
}

// hold notes the check that holds the message until the instant, 0 if that is
// not in sight. It is deferred if the policy says so and the instant comes
// before the message expires and within MaxDeferral.
func (e *asking) hold(why Reason, then Then, until event.Time, c Check) bool {
	e.never(why, c)
	if then == Drop || until == 0 {
		return false
	}
	until, ok := e.settle(until)
	if !ok {
		return false
	}
	e.r.Until = until
	if until < e.a.Expires && until.Sub(e.at) <= e.Policy.MaxDeferral {
		e.r.Outcome = Later
	}
	return false
}

// settle moves an instant on to where neither the attention budget nor quiet
// hours hold it, so that a deferred message is not deferred again at once. One
// pass is enough: what the budget frees stays free. It reports false if there is
// no such instant within MaxDeferral.
func (e *asking) settle(t event.Time) (event.Time, bool) {
	limit := e.at.Add(e.Policy.MaxDeferral)
	if !e.a.counts() {
		return t, true
	}
	b := e.budget()
	t, ok := b.next(t)
	if !ok || t > limit {
		return t, ok
	}
	h := e.hoursOf(e.p, e.a.Channel, e.r.Now)
	return h.next(t, limit)
}

// address is rule 1.
func (e *asking) address() bool {
	p := e.p
	if !p.Owner.Zero() {
		return e.never(Merged, Check{Rule: RuleAddress, Name: CheckOwner, Text: p.Owner.String()})
	}
	if e.set(TraitSuppressed) {
		return e.never(Suppressed, Check{Rule: RuleAddress, Name: CheckSuppress, Text: TraitSuppressed})
	}
	marketing := e.a.Class == profile.Marketing
	if marketing && p.Hot() {
		return e.never(Hot, Check{Rule: RuleAddress, Name: CheckHot, Got: int64(p.InMonth), Limit: profile.HotAfter})
	}
	address := p.Address(e.a.Channel)
	for i := range p.Health {
		h := &p.Health[i]
		if h.Channel != e.a.Channel {
			continue
		}
		// A complaint is about our mail, not about one address: another address
		// of the same person gets no marketing either.
		if h.State == profile.Complained && marketing {
			return e.never(Complained, Check{Rule: RuleAddress, Name: CheckHealth, At: h.At, Text: h.Why})
		}
		if h.State == profile.Bounced && h.Address == address && address != "" {
			return e.never(Bounced, Check{Rule: RuleAddress, Name: CheckHealth, At: h.At, Text: h.Why})
		}
	}
	return e.pass(Check{Rule: RuleAddress, Name: CheckHealth})
}

// consent is rule 2.
func (e *asking) consent() bool {
	a := e.a
	c, said := e.p.Consent(a.Channel, a.Purpose)
	check := Check{Rule: RuleConsent, Name: CheckConsent, At: c.At, Text: a.Channel, Other: a.Purpose}
	if said {
		e.r.Consent = &Basis{c.Granted, c.At, c.Proof, c.Evidence, c.Wording, c.Expires}
	}
	// What the customer's own order brings, and what stands where the customer
	// comes by, needs no consent to be contacted. A refusal holds all the same.
	free := a.Class == profile.Service && ServicePurpose(a.Purpose) || a.pull()
	if free && (!said || c.Granted) || e.p.Allows(a.Channel, a.Purpose, e.at) {
		return e.pass(check)
	}
	return e.never(NoConsent, check)
}

// ServicePurpose reports whether a purpose is that of what an order brings, of the
// shop itself or of a brand: "service", "oak.service".
func ServicePurpose(purpose string) bool {
	return purpose == PurposeService || strings.HasSuffix(purpose, "."+PurposeService)
}

// reach is rule 3.
func (e *asking) reach() bool {
	c := Check{Rule: RuleReach, Name: CheckReach, Text: e.a.Channel}
	if !e.a.pull() && e.p.Address(e.a.Channel) == "" {
		return e.never(Unreachable, c)
	}
	return e.pass(c)
}

// wanted is rule 4.
func (e *asking) wanted() bool {
	a := e.a
	switch a.Stage {
	case AtPlan:
		if i := contactAt(e.p, a.Delivery); i >= 0 {
			return e.never(Duplicate, Check{Rule: RuleWanted, Name: CheckSaid, At: e.p.Contacts[i].At})
		}
		if i := openAt(e.p, a.Delivery); i >= 0 {
			return e.never(Duplicate, Check{Rule: RuleWanted, Name: CheckSaid, At: e.p.Open[i].Planned})
		}
	case AtClaim:
		if a.State != profile.Planned && (a.State != profile.Claimed || e.r.Now < a.Deadline) {
			return e.never(Closed, Check{Rule: RuleWanted, Name: CheckOpen, Text: a.State.String()})
		}
	}
	if e.twin() {
		return e.never(Duplicate, Check{Rule: RuleWanted, Name: CheckSaid, Other: "under another identifier"})
	}
	if a.Late {
		return e.never(Late, Check{Rule: RuleWanted, Name: CheckLate})
	}
	if e.at >= a.Expires {
		return e.never(Expired, Check{Rule: RuleWanted, Name: CheckExpires, At: a.Expires})
	}
	e.pass(Check{Rule: RuleWanted, Name: CheckExpires, At: a.Expires})
	thing := a.thing()
	if b := e.owning.Bought(e.p, &thing, func(b *profile.Bought, same, akin bool) bool {
		return b.Last > a.Planned && (same || akin && (a.Product == "" || e.owning.Category))
	}); b != nil {
		return e.never(Satisfied, Check{Rule: RuleWanted, Name: CheckSatisfied, At: b.Last, Text: b.SKU, Other: b.Name})
	}
	return e.pass(Check{Rule: RuleWanted, Name: CheckSatisfied})
}

// owned is rule 5. It asks of every message that promotes something, whatever
// its class: a service message promotes nothing and names no product.
func (e *asking) owned() bool {
	thing := e.a.thing()
	if b := e.owning.JustBought(e.p, &thing, e.at); b != nil {
		return e.never(JustBought, Check{Rule: RuleOwned, Name: CheckOwned, At: b.Last, Text: b.SKU, Other: b.Name, Span: e.owning.Span(b.Category)})
	}
	return e.pass(Check{Rule: RuleOwned, Name: CheckOwned, Span: e.owning.Span(e.a.Category)})
}

// thing is what the message promotes.
func (a *Ask) thing() recommend.Thing {
	return recommend.Thing{SKU: a.Product, Parent: a.Parent, Category: a.Category, Replenish: a.Replenish, Interval: a.Interval}
}

// conversation is rule 6. Service messages pass: that the order is late is just
// what they tell.
func (e *asking) conversation() bool {
	if e.a.Class == profile.Service {
		return true
	}
	for _, s := range [...]struct {
		trait string
		why   Reason
	}{{TraitComplaint, ComplaintOpen}, {TraitOrderLate, OrderLate}, {TraitConversation, ConversationOpen}} {
		if e.set(s.trait) {
			return e.hold(s.why, e.Policy.AtConversation, e.at.Add(RecheckAfter), Check{Rule: RuleConversation, Name: CheckTrait, Text: s.trait})
		}
	}
	if order, since, late := e.p.Late(e.at); late {
		return e.hold(OrderLate, e.Policy.AtConversation, e.at.Add(RecheckAfter), Check{Rule: RuleConversation, Name: CheckLateOrder, Text: order, At: since})
	}
	return e.pass(Check{Rule: RuleConversation, Name: CheckTrait})
}

// set reports whether a trait says yes in any of the ways in which shops do.
func (e *asking) set(trait string) bool {
	v, ok := e.p.Trait(trait)
	if !ok {
		return false
	}
	switch v.Kind {
	case event.False:
		return false
	case event.Number:
		f, _ := v.Float()
		return f != 0
	case event.String:
		switch event.Canonical(v.Raw) {
		case "", "0", "false", "no", "none", "closed":
			return false
		}
	}
	return true
}

// holdout is rule 7.
func (e *asking) holdout() bool {
	if e.a.Class == profile.Service {
		return true
	}
	const million = 1_000_000
	if share := e.Policy.Holdout; share > 0 {
		toss := e.p.Person().Chance(GlobalHoldout)
		c := Check{Rule: RuleHoldout, Name: CheckGlobal, Got: int64(toss * million), Limit: int64(share * million)}
		if toss < share {
			return e.never(Held, c)
		}
		e.pass(c)
	}
	c := Check{Rule: RuleHoldout, Name: CheckJourney}
	if e.a.Withheld {
		return e.never(Held, c)
	}
	return e.pass(c)
}

// GlobalHoldout names the experiment by which the global holdout is tossed.
const GlobalHoldout = "holdout:global"

// attention is rule 8.
func (e *asking) attention() bool {
	if !e.a.counts() {
		return true
	}
	b := e.budget()
	for _, c := range e.Policy.Caps {
		if c.Channel != "" && c.Channel != e.a.Channel {
			continue
		}
		n := b.count(&c, e.at)
		check := Check{Rule: RuleAttention, Name: CheckCap, Got: int64(n), Limit: int64(c.Most), Span: c.Per, Text: c.Channel}
		if n >= c.Most {
			until, _ := b.next(e.at)
			return e.hold(OverCap, e.Policy.AtCap, until, check)
		}
		e.pass(check)
	}
	last := b.last()
	check := Check{Rule: RuleAttention, Name: CheckGap, Span: e.Policy.Gap, At: last}
	if last != 0 && e.at.Sub(last) < e.Policy.Gap {
		until, _ := b.next(e.at)
		return e.hold(TooSoon, e.Policy.AtCap, until, check)
	}
	return e.pass(check)
}

// quiet is rule 9.
func (e *asking) quiet() bool {
	if !e.a.counts() {
		return true
	}
	h := e.hoursOf(e.p, e.a.Channel, e.r.Now)
	q, zone := h.holding(e.at)
	if q == nil {
		return e.pass(Check{Rule: RuleQuiet, Name: CheckQuiet})
	}
	local := e.at.In(zone)
	check := Check{
		Rule: RuleQuiet, Name: CheckQuiet, Got: int64(local.Hour()*60 + local.Minute()), Limit: int64(q.To % minutesOfDay),
		Text: zone.String(), Other: q.source,
	}
	// The law's windows are kept whatever the policy drops; what they hold waits
	// or is dropped like everything else.
	until, _ := h.next(e.at, e.at.Add(e.Policy.MaxDeferral))
	return e.hold(QuietHours, e.Policy.AtQuiet, until, check)
}
