package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rapport/internal/killpoint"
)

// order tells the server what is wanted of the campaign, and returns the status; 0
// if nobody answered.
func (h *home) order(verb string, body any) int {
	text, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://"+h.addr+"/api/v1/campaigns/news/"+verb, bytes.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.secret())
	r.Header.Set("Content-Type", "application/json")
	a, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(a.Body, 1<<16)) // only shown
	switch a.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized:
		h.t.Errorf("%s was refused: %d %s", verb, a.StatusCode, said)
	case http.StatusConflict: // right, if there is nothing left to be told
		if state, _, _ := h.run(); verb != "send" && state != "" && state != "done" {
			h.t.Errorf("%s was refused while the campaign is %s: %s", verb, state, said)
		}
	}
	return a.StatusCode
}

// run returns the state of the campaign's run; empty if nobody answers.
func (h *home) run() (state string, entered, open int64) {
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.addr+"/api/v1/campaigns/news", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.secret())
	a, err := client.Do(r)
	if err != nil {
		return "", 0, 0
	}
	defer a.Body.Close()
	var c struct {
		Runs []struct {
			State         string `json:"state"`
			Entered, Open int64
		} `json:"runs"`
	}
	if err := json.NewDecoder(a.Body).Decode(&c); err != nil || len(c.Runs) == 0 {
		return "", 0, 0
	}
	last := c.Runs[len(c.Runs)-1]
	return last.State, last.Entered, last.Open
}

// campaignKills sends a campaign to people and kills the server again and again
// while it goes out, pausing, resuming and changing its rate in between. In the end
// the mail server outside has one mail for each, none twice, and none is missing
// but those that dead processes had begun.
func campaignKills(t *testing.T, kills, people int) {
	catcher := newCatcher(t)
	dir := definitions(t)
	// Slow enough that every kill falls into it, and quick enough to end.
	slow := max(people/(kills+1), 2)
	for name, body := range map[string]string{
		"segments/known.yaml":         "segment: known\nwhen: {trait: email, exists: true}\n",
		"campaigns/news.yaml":         "campaign: news\naudience: {segment: known}\ntemplate: news\nrate: " + fmt.Sprint(slow) + "/s\nundo: none\nholdout: 0\nreason: You asked for our news\n",
		"templates/news.html.liquid":  "---\nlabel: News\nsubject: News\n---\n<p>News. {{ reason }}.</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n",
		"templates/news.txt.liquid":   "News. {{ reason }}. Unsubscribe: {{ unsubscribe_url }} {{ shop.postal }}\n",
		"journeys/hello.yaml":         "",
		"templates/hello.html.liquid": "",
		"templates/hello.txt.liquid":  "",
	} {
		path := filepath.Join(dir, name)
		if body == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := newHome(t, "--definitions", dir, "--smtp", catcher.Addr(), "--unverified", "send")
	p := h.start(options{})
	for from := 0; from < people; from += 100 {
		var batch []message
		for i := from; i < min(from+100, people); i++ {
			batch = append(batch, orders(fmt.Sprintf("u%d", i))[:2]...)
		}
		if !h.insist(t.Context(), batch...) {
			t.Fatal("the people were not heard")
		}
	}
	rate := func(perSecond int) map[string]string {
		return map[string]string{"rate": fmt.Sprintf("%d/s", perSecond)}
	}
	until(t, "the campaign is sent", func() bool {
		h.order("send", map[string]bool{"now": true}) // an order that was too slow to be answered counts too
		state, _, _ := h.run()
		return state != ""
	})
	r := rand.New(rand.NewPCG(5, 5))
	blind := 0
	for n := range kills {
		if n%2 == 0 {
			// The last points come first: those where a message is under way.
			point := killpoint.Points[len(killpoint.Points)-1-n/2%len(killpoint.Points)]
			p.kill()
			p = h.launch(options{kill: fmt.Sprintf("%s:%d", point, 1+r.IntN(10))})
		}
		if p.ready() {
			switch n % 4 {
			case 0:
				h.order("pause", struct{}{})
				time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
				h.order("resume", struct{}{})
			case 1:
				h.order("rate", rate(1+r.IntN(2*slow)))
			case 2:
				h.order("pause", struct{}{})
			case 3:
				h.order("resume", struct{}{})
			}
		}
		select {
		case <-p.done:
		case <-time.After(50*time.Millisecond + time.Duration(r.IntN(300))*time.Millisecond):
			p.kill()
		}
		blind += h.blind()
		p = h.start(options{}) // does what the dead one left undone
	}
	until(t, "the campaign goes on", func() bool {
		time.Sleep(300 * time.Millisecond) // the API answers so many requests a second
		// Where starts take long, it has come to everybody by now.
		if state, _, _ := h.run(); state == "done" {
			return true
		}
		return h.order("resume", struct{}{}) == http.StatusAccepted && h.order("rate", map[string]string{"rate": "none"}) == http.StatusAccepted
	})
	// What a dead process had claimed is nobody's until the claim is over.
	until(t, "the campaign runs to its end", func() bool {
		time.Sleep(300 * time.Millisecond)
		state, entered, open := h.run()
		return state == "done" && entered == int64(people) && open == 0
	})
	p.stop()
	of, states := map[string]int{}, map[string]int{}
	for _, d := range h.dump("deliveries") {
		of[d.Profile]++
		states[d.State]++
	}
	stats := catcher.Stats()
	t.Logf("%d kills, %d people, %v, %d mails, %d begun by dead processes", kills, people, states, stats.Received, blind)
	if len(of) != people {
		t.Errorf("%d people are in the audience and %d have a message", people, len(of))
	}
	for who, n := range of {
		if n != 1 {
			t.Errorf("%s has %d messages, want 1", who, n)
		}
	}
	if states["accepted"]+states["unknown"] != people || states["unknown"] > blind {
		t.Errorf("deliveries are %v, and the dead processes had begun %d", states, blind)
	}
	if stats.Duplicates > 0 {
		t.Errorf("%d mails were sent twice", stats.Duplicates)
	}
	if stats.Received < states["accepted"] || stats.Received > people {
		t.Errorf("the mail server has %d mails, the ledger says %d accepted and %d unknown", stats.Received, states["accepted"], states["unknown"])
	}
}

func TestACampaignGoesToEverybodyOnceHoweverOftenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	campaignKills(t, 8, 600)
}

func TestChaosACampaignGoesToEverybodyOnce(t *testing.T) {
	campaignKills(t, rounds(t), 4000)
}
