package intake_test

import (
	"errors"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/intake"
)

// optOuts returns the homes' opt-outs that were appended.
func (h *harness) optOuts() (list []intake.Addressed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.appended {
		if a.Event.Name == event.ConsentChanged {
			list = append(list, a)
		}
	}
	return list
}

const browsing = `{"batch":[{"type":"page","anonymousId":"b1","messageId":"m1"},{"type":"track","event":"Product Viewed","anonymousId":"b1","messageId":"m2"}]}`

func TestAGlobalPrivacyControlIsAnOptOutOfTheBrowser(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	wantStatus(t, h.post("/v1/batch", browsing, "Sec-GPC", "1"), 200)
	wantStatus(t, h.post("/v1/batch", browsing, "Sec-GPC", "1"), 200)
	got := h.optOuts()
	if len(got) != 1 {
		t.Fatalf("%d opt-outs for one browser, want one", len(got))
	}
	e := got[0].Event
	if got[0].To != h.appended[0].To || e.Anon != "b1" || e.Trust != event.Public {
		t.Errorf("the opt-out is %+v", got[0])
	}
	p := profile.New(got[0].To)
	if f := p.Fold(&e, e.At); !f.Consent {
		t.Fatal("the profile does not take the opt-out")
	}
	c, said := p.Consent(intake.SaleShareChannel, intake.SaleShare)
	if !said || c.Granted || c.Evidence != "Sec-GPC: 1" || c.Proof != e.ID {
		t.Errorf("the profile says %+v, %t", c, said)
	}
	// On another day it is said again: who has agreed meanwhile, and still sends the
	// signal, has said no last.
	h.now.Add(25 * 60 * 60 * 1000)
	wantStatus(t, h.post("/v1/batch", browsing, "Sec-GPC", "1"), 200)
	if got := h.optOuts(); len(got) != 2 || got[0].Event.ID == got[1].Event.ID {
		t.Errorf("the next day there are %d opt-outs", len(got))
	}
}

func TestWithoutTheSignalNobodyIsOptedOut(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, value := range []string{"", "0", "true", "11"} {
		wantStatus(t, h.post("/v1/batch", browsing, "Sec-GPC", value), 200)
	}
	// A server speaks for nobody's browser, whatever it forwards.
	wantStatus(t, h.do("POST", "/v1/batch", []byte(browsing), "X-Write-Key", h.secret, "Sec-GPC", "1"), 200)
	if got := h.optOuts(); len(got) != 0 {
		t.Errorf("%d opt-outs, want none", len(got))
	}
}

func TestAnOptOutThatTheLogRefusedIsSaidAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.appendErr = errors.New("the log is away")
	h.post("/v1/batch", browsing, "Sec-GPC", "1")
	h.appendErr = nil
	wantStatus(t, h.post("/v1/batch", browsing, "Sec-GPC", "1"), 200)
	if got := h.optOuts(); len(got) != 1 {
		t.Errorf("%d opt-outs, want one", len(got))
	}
}
