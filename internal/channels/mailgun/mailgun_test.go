package mailgun_test

import (
	"encoding/json"
	"io"
	"net/http"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/mailgun"
	"rapport/internal/channels/provider"
)

const key = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"

// known are the parameters that Mailgun documents and we use.
var known = []string{"from", "to", "subject", "html", "text", "o:tracking", "o:tracking-clicks", "o:tracking-opens"}

// fake checks what Mailgun checks.
func fake(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
	say := func(status int, words string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"message": words})
	}
	body, err := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	switch {
	case err != nil:
		return
	case d.Forgotten() || user != "api" || password != key:
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, "Forbidden")
		return
	case r.URL.Path != "/v3/mg.shop.example/messages":
		say(http.StatusNotFound, "Domain not found: "+r.URL.Path)
		return
	case r.Method != http.MethodPost:
		say(http.StatusMethodNotAllowed, "method not allowed")
		return
	case d.Busy(w.Header()):
		say(http.StatusTooManyRequests, "Too many requests")
		return
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		say(http.StatusBadRequest, "from parameter is missing")
		return
	case len(body) > 25<<20:
		say(http.StatusRequestEntityTooLarge, "Request entity too large")
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		say(http.StatusBadRequest, "the form cannot be read")
		return
	}
	to, err := netmail.ParseAddress(form.Get("to"))
	if err != nil || channeltest.Fated(to.Address) == channeltest.Reject {
		say(http.StatusBadRequest, "'to' parameter is not a valid address. please check documentation")
		return
	}
	for name, values := range form {
		if len(values) != 1 || !slices.Contains(known, name) && !strings.HasPrefix(name, "h:") && !strings.HasPrefix(name, "v:") {
			say(http.StatusBadRequest, "unknown parameter "+name)
			return
		}
	}
	switch {
	case form.Get("from") == "":
		say(http.StatusBadRequest, "from parameter is missing")
		return
	case form.Get("text") == "" && form.Get("html") == "":
		say(http.StatusBadRequest, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified")
		return
	case form.Get("o:tracking") != "no" || form.Get("o:tracking-clicks") != "no" || form.Get("o:tracking-opens") != "no":
		say(http.StatusBadRequest, "this test wants no tracking by the provider")
		return
	case form.Get("h:List-Unsubscribe") != "<https://shop.example/u/token>" || form.Get("h:List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
		say(http.StatusBadRequest, "this test wants a way out")
		return
	}
	switch channeltest.Fated(to.Address) {
	case channeltest.Policy:
		say(http.StatusBadRequest, "this test refuses the content")
		return
	case channeltest.Defer:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case channeltest.Lost:
		d.Take(form.Get("v:rapport_delivery"))
		channeltest.Vanish()
	}
	d.Take(form.Get("v:rapport_delivery"))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"id": form.Get("h:Message-Id"), "message": "Queued. Thank you."})
}

func open(t *testing.T, o mailgun.Options) (*channeltest.Desk, *provider.Channel) {
	t.Helper()
	d := channeltest.Open(t, fake)
	o.Base, o.Key = d.URL, key
	c, err := mailgun.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return d, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Peer {
		d, c := open(t, mailgun.Options{Domain: "mg.shop.example"})
		return d.Peer(c)
	})
}

func TestADomainThatMailgunDoesNotKnowIsTroubleAndNobodysFault(t *testing.T) {
	t.Parallel()
	_, c := open(t, mailgun.Options{Domain: "other.example"})
	o := c.Send(t.Context(), []channels.Message{channeltest.Message(1)})[0]
	if o.State != channels.Deferred || o.Hard || !strings.Contains(c.Trouble(), "Domain not found") {
		t.Fatalf("%+v, trouble %q", o, c.Trouble())
	}
}

func TestOptionsThatCannotWorkAreInvalid(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mailgun.Options{
		"no key":                  {Domain: "mg.shop.example"},
		"no domain":               {Key: key},
		"a domain with a path":    {Key: key, Domain: "mg.shop.example/../x"},
		"a region of nobody":      {Key: key, Domain: "mg.shop.example", Region: "mars"},
		"a key with a break":      {Key: "key\n", Domain: "mg.shop.example"},
		"plain http":              {Key: key, Domain: "mg.shop.example", Options: provider.Options{Base: "http://api.mailgun.example"}},
		"a name for this machine": {Key: key, Domain: "mg.shop.example", Options: provider.Options{Base: "http://localhost:1"}},
	} {
		if _, err := mailgun.New(o); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
