package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/fault"
	"rapport/internal/people"
)

// A sole owner who lost the password comes back in with the data directory in hand,
// and the trail tells of it.
func TestASoleOwnerWhoLostThePasswordComesBackIn(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	say(t, exitFailed, "people", "--data", data)
	d, err := openDirectory(t.Context(), data, opening{clock: clock.Wall(), create: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.people.Found(d.people.SetUp(), "ada@shop.example", "Ada", "three quiet hedgehogs")
	if err != nil {
		t.Fatal(err)
	}
	if _, errs := say(t, exitFailed, "people", "reset", "ada@shop.example", "--data", data); !strings.Contains(errs, "RAPPORT_KEY") {
		t.Errorf("beside a server it says %s", errs)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if out, _ := say(t, exitDone, "people", "--data", data); !strings.Contains(out, "owner  ada@shop.example  Ada") {
		t.Errorf("the list is %s", out)
	}
	out, _ := say(t, exitDone, "people", "reset", "ADA@shop.example", "--data", data, "--public-url", "https://crm.shop.example/")
	_, token, found := strings.Cut(out, "https://crm.shop.example/join#")
	if !found {
		t.Fatalf("there is no link in %s", out)
	}
	say(t, exitFailed, "people", "reset", "eve@shop.example", "--data", data)
	say(t, exitMisuse, "people", "invite", "bob@shop.example", "--data", data, "--role", "king")
	said, _ := say(t, exitDone, "people", "invite", "bob@shop.example", "--data", data, "--role", "marketer", "--json")
	var v letIn
	if err := json.Unmarshal([]byte(said), &v); err != nil || v.Role != people.Marketer || !strings.Contains(v.Link, "/join#") {
		t.Errorf("the invitation is %s, %v", said, err)
	}

	book, err := people.Open(data, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	fresh, err := book.Join(strings.TrimSpace(token), "", "four loud hedgehogs")
	if err != nil || fresh.Person.ID != s.Person.ID || fresh.Person.Role != people.Owner {
		t.Errorf("the link lets in %+v, %v", fresh.Person, err)
	}
	if _, err := book.SignIn("ada@shop.example", "three quiet hedgehogs"); !fault.Is(err, fault.Denied) {
		t.Errorf("the old password: %v", err)
	}
	list := book.Deeds(0, 10, nil)
	if len(list) != 2 || list[1].Operation != "post_people_id_reset" || list[1].Actor.Kind != "terminal" || list[1].Status != 201 || !strings.Contains(list[1].Object, s.Person.ID) {
		t.Errorf("the trail is %+v", list)
	}
	for _, deed := range list {
		if strings.Contains(deed.Detail+deed.Object, strings.TrimSpace(token)) {
			t.Error("the trail holds the token")
		}
	}
}
