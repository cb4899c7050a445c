package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"rapport/internal/admin"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/demo"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
)

// The scripted shopper. She is invented and labelled so; what the product does
// about her is not.
const (
	shopperID   = "scripted-shopper"
	shopperMail = "mia.scripted@" + demo.Domain
	shopperWait = 5 * time.Second // for anything that takes milliseconds
)

// shopper lets time pass at the pace of the wall again and plays one customer:
// she looks at lamps three times, a reminder is planned, she buys one at the till,
// the reminder is recalled, and she unsubscribes.
func (d *play) shopper(ctx context.Context) error {
	if err := d.live(ctx); err != nil {
		return err
	}
	s := d.s
	secret := ""
	for _, k := range s.d.fresh {
		if k.Kind == keys.Secret {
			secret = k.Text
		}
	}
	fmt.Fprintf(d.e.out, "\nOne shopper, now (scripted): the shop's clock goes on from %s at the pace of yours.\n", s.clock.Now().Time().Format("2 January 2006, 15:04"))
	say := func(what, detail string) {
		line := admin.ShopperLine{At: s.clock.Now(), What: what, Detail: detail}
		d.mu.Lock()
		d.lines = append(d.lines, line)
		d.mu.Unlock()
		fmt.Fprintf(d.e.out, "  %s  %s", line.At.Time().Format("15:04:05.000"), what)
		if detail != "" {
			fmt.Fprintf(d.e.out, ": %s", detail)
		}
		fmt.Fprintln(d.e.out)
	}
	id, _ := identity.Normal(identity.User, shopperID)
	home := s.d.key.Home(id)
	look := func(ok func(*profile.Profile) bool) (*profile.Profile, error) { return waitFor(ctx, s.node, home, ok) }

	// Her consents were given long ago; her language is plain.
	if err := d.track(ctx, secret,
		message{"type": "identify", "traits": message{"email": shopperMail, "first_name": "Mia", "last_name": "Scripted", "country": "GB", "gender": "female", "timezone": "Europe/London", "invented": true}},
		message{"type": "track", "event": event.ConsentChanged, "properties": message{"channel": "email", "purpose": "marketing", "state": "granted", "evidence": "invented: the scripted shopper", "wording": demo.Wording}},
	); err != nil {
		return err
	}
	lamps := [...]string{"WHITE METAL LANTERN", "VINTAGE BILLBOARD LAMP", "BLUE POLKADOT TABLE LAMP"}
	for i, lamp := range lamps {
		if err := d.track(ctx, secret, message{
			"type": "track", "event": event.ProductViewed, "anonymousId": "scripted-phone",
			"properties": message{"product_id": fmt.Sprintf("LAMP-%d", i), "sku": fmt.Sprintf("LAMP-%d", i), "name": lamp, "category": "lighting", "price": 12.5},
		}); err != nil {
			return err
		}
		say("Mia looks at a lamp", strings.ToLower(lamp))
	}
	p, err := look(func(p *profile.Profile) bool { return len(p.Open) > 0 })
	if err != nil {
		return fmt.Errorf("waiting for the reminder to be planned: %w", err)
	}
	reminder := p.Open[0]
	prog, err := s.node.Program(ctx)
	if err != nil {
		return err
	}
	say("she is in", strings.Join(prog.Core.Segments.Members(p), ", "))
	say("a reminder is planned for "+reminder.NotBefore.Time().Format("15:04"), reminder.Reason)

	// The till tells of it four seconds later, as tills do.
	if err := d.track(ctx, secret, message{
		"type": "track", "event": event.OrderCompleted, "timestamp": s.clock.Now().Add(-4 * time.Second).String(),
		"properties": message{"order_id": "TILL-1", "currency": "GBP", "channel": "shop", "products": []message{{"product_id": "LAMP-2", "sku": "LAMP-2", "name": "a lamp", "category": "lighting", "price": 12.5, "quantity": 1}}},
	}); err != nil {
		return err
	}
	began := time.Now()
	say("she buys a lamp at the till", "")
	row, err := recalled(ctx, s.d.store, reminder.ID)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("the reminder is %s", row.State), fmt.Sprintf("%d ms after the till's receipt was heard", time.Since(began).Milliseconds()))
	if p, err = look(func(*profile.Profile) bool { return true }); err != nil {
		return err
	}
	if record, err := decision.Decode(string(row.Claim)); err == nil {
		say("why?", record.Sentence(p, record.Now))
	}
	link := s.signer.Unsubscribe(site.Delivery{ID: reminder.ID.String(), Profile: p.ID, Channel: "email", Purpose: "marketing"})
	resp, err := http.Post(link, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return err
	}
	resp.Body.Close()
	if p, err = look(func(p *profile.Profile) bool { return !p.Allows("email", "marketing", s.clock.Now()) }); err != nil {
		return fmt.Errorf("waiting for the unsubscribe to be heard: %w", err)
	}
	say("she unsubscribes", fmt.Sprintf("answered %d; messages that wait for her: %d", resp.StatusCode, len(p.Open)))
	fmt.Fprintf(d.e.out, "  her page: %s/customers/%s\n", s.public, p.ID)
	return nil
}

// live lets the clock run and opens the node again for it.
func (d *play) live(ctx context.Context) error {
	s := d.s
	if err := s.node.Close(ctx); err != nil {
		return err
	}
	if err := s.site.Close(ctx); err != nil {
		return err
	}
	s.clock.Release()
	s.wall, s.hold = nil, 0
	if err := s.openWith(ctx, nil); err != nil {
		return err
	}
	s.ready()
	return s.node.Start(ctx)
}

type message map[string]any

// track sends messages of the shopper as a shop's backend does.
func (d *play) track(ctx context.Context, secret string, messages ...message) error {
	for _, m := range messages {
		if m["anonymousId"] == nil || m["userId"] == nil {
			m["userId"] = shopperID
		}
		if m["timestamp"] == nil {
			m["timestamp"] = d.s.clock.Now().String()
		}
	}
	body, err := json.Marshal(message{"batch": messages, "sentAt": d.s.clock.Now().String()})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.s.public+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte("rejected")) {
		return fmt.Errorf("the tracking API answered %s: %s", resp.Status, answer)
	}
	return nil
}

func waitFor(ctx context.Context, n *run.Node, id identity.ID, ok func(*profile.Profile) bool) (*profile.Profile, error) {
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		p, err := n.Engine.Profile(ctx, id)
		if err != nil {
			return nil, err
		}
		if p != nil && p.Born != 0 && ok(p) {
			return p, nil
		}
		if time.Since(began) > shopperWait || ctx.Err() != nil {
			return nil, fault.New(fault.Unavailable, "it did not happen within "+shopperWait.String())
		}
	}
}

// recalled waits until a delivery is no longer on its way.
func recalled(ctx context.Context, s store.Store, id profile.DeliveryID) (store.Delivery, error) {
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		row, err := s.Delivery(ctx, id)
		if err == nil && !row.State.Open() {
			return row, nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return row, err
		}
		if time.Since(began) > shopperWait || ctx.Err() != nil {
			return row, fault.New(fault.Unavailable, "the reminder was not recalled within "+shopperWait.String())
		}
	}
}
