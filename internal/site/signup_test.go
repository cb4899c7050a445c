package site_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/site"
)

// shop is a shop with customers, as the pages know it.
type shop struct {
	looks    site.Shop
	customer site.Customer
	html     string
}

func (s *shop) Shop(context.Context) (site.Shop, error) { return s.looks, nil }
func (s *shop) Customer(context.Context, identity.ID) (site.Customer, error) {
	return s.customer, nil
}

func (s *shop) View(_ context.Context, d site.Delivery) (string, error) {
	if s.html == "" || d.ID != ada.ID {
		return "", fault.New(fault.NotFound, "no such message")
	}
	return s.html, nil
}

var key = identity.Key{7}

// openShop opens the pages of a shop with a form.
func openShop(t *testing.T, change ...func(*site.Options)) (*world, *shop) {
	t.Helper()
	s := &shop{looks: site.Shop{
		Name: "Lamp & Co", Locale: "en-GB", Channels: []string{"email", "sms"}, SignUp: true,
		Purposes: []site.Purpose{
			{Name: "marketing", Label: "News & <offers>", Labels: map[string]string{"de": "Neues & <Angebote>"}, About: "Twice a week."},
			{Name: "stock", Label: "Back in stock"},
		},
	}}
	w := open(t, append([]func(*site.Options){func(o *site.Options) { o.Customers, o.Home = s, key.Home }}, change...)...)
	return w, s
}

func typed(pairs ...string) (io.Reader, string, string) {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return strings.NewReader(v.Encode()), "Content-Type", "application/x-www-form-urlencoded"
}

func (w *world) post(link string, pairs ...string) *http.Response {
	body, name, kind := typed(pairs...)
	return w.ask("POST", link, body, name, kind)
}

func TestASignUpIsHeardAndGrantsNothing(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	for name, body := range map[string]func() (io.Reader, string){
		"urlencoded": func() (io.Reader, string) {
			b, _, kind := typed("email", " Ada@Shop.Example ", "on", "marketing", "on", "nonsense")
			return b, kind
		},
		"multipart": func() (io.Reader, string) {
			var b bytes.Buffer
			m := multipart.NewWriter(&b)
			m.WriteField("email", " Ada@Shop.Example ")
			m.WriteField("on", "marketing")
			m.Close()
			return &b, m.FormDataContentType()
		},
	} {
		before := len(w.events())
		b, kind := body()
		r := w.ask("POST", base+"/signup", b, "Content-Type", kind)
		if page := text(t, r); r.StatusCode != 200 || len(r.Cookies()) != 0 || !strings.Contains(page, "Look into your mail") {
			t.Fatalf("%s: %d\n%s", name, r.StatusCode, page)
		}
		heard := w.events()[before:]
		if len(heard) != 1 {
			t.Fatalf("%s: heard %v", name, heard)
		}
		e := heard[0].Event
		id, _ := identity.Normal(identity.Email, "ada@shop.example")
		if heard[0].To != key.Home(id) || e.Name != site.SignupRequested || e.Trust != event.Public || e.Traits.Text("email") != "ada@shop.example" ||
			e.Props.Text("purposes") != "marketing" || e.Props.Text("ip") != "192.0.2.0/24" || e.Props.Text("agent") != browser {
			t.Errorf("%s: heard %+v", name, heard[0])
		}
		p := profile.New(heard[0].To)
		p.Fold(&e, noon)
		if len(p.Consents) != 0 {
			t.Errorf("%s: one yes was enough: %+v", name, p.Consents)
		}
	}
}

// confirmLink is as it stands in the mail that answers ada's sign-up.
func confirmLink(s *site.Signer, at event.Time, purposes ...string) string {
	d := ada
	d.Purpose = "service"
	return s.Confirm(d, at, purposes)
}

func TestAConfirmationIsAConsentWithItsEvidenceOnceForEver(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	asked := noon.Add(-time.Hour)
	link := confirmLink(w.signer, asked, "marketing", "stock", "gone-since")
	for range 1000 {
		for _, method := range []string{"GET", "HEAD"} {
			if r := w.ask(method, link, nil); r.StatusCode != 200 {
				t.Fatalf("%s: %d", method, r.StatusCode)
			}
		}
	}
	if !w.quiet() {
		t.Fatal("looking at the page agreed to something")
	}
	page := text(t, w.ask("GET", link, nil))
	if !strings.Contains(page, "News &amp; &lt;offers&gt;") || !strings.Contains(page, "Twice a week.") || strings.Contains(page, "gone-since") {
		t.Errorf("the page does not say what is agreed to:\n%s", page)
	}
	for range 3 {
		if r := w.post(link); r.StatusCode != 200 || len(r.Cookies()) != 0 {
			t.Fatalf("POST: %d", r.StatusCode)
		}
	}
	heard := w.events()
	if len(heard) != 6 || heard[0].Event.ID != heard[2].Event.ID || heard[0].Event.ID == heard[1].Event.ID {
		t.Fatalf("heard %v, want two facts, told three times", heard)
	}
	p := profile.New(ada.Profile)
	for i := range heard {
		if p.Sees(&heard[i].Event) == profile.Unseen {
			p.Fold(&heard[i].Event, noon)
		}
	}
	c, _ := p.Consent("email", "marketing")
	if !c.Granted || c.Evidence != "double opt-in" || c.Wording != site.Wording("en", "News & <offers>\nTwice a week.") || c.Proof != heard[0].Event.ID {
		t.Errorf("the consent is %+v", c)
	}
	e := heard[0].Event.Props
	if e.Text("text") != "News & <offers>\nTwice a week." || e.Text("ip") != "192.0.2.0/24" || e.Text("agent") != browser || e.Text("requested") != asked.String() {
		t.Errorf("the evidence is %s", e.AppendJSON(nil))
	}
	// A replay after an unsubscribe is the old fact: nothing is released by the page.
	if len(w.released) != 0 {
		t.Errorf("the page lifted %v", w.released)
	}
}

func TestAConfirmingLinkThatIsNotOursOrTooOldAgreesToNothing(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	good := confirmLink(w.signer, noon, "marketing")
	changed := []byte(good)
	changed[len(changed)-10] ^= 1
	rotated := signer(t, "shop", keyB, keyA)
	for name, c := range map[string]struct {
		link   string
		status int
	}{
		"one byte changed":            {string(changed), 404},
		"cut off":                     {good[:len(good)-1], 404},
		"another workspace's":         {confirmLink(signer(t, "other", keyA), noon, "marketing"), 404},
		"a key that is not ours":      {confirmLink(rotated, noon, "marketing"), 404},
		"an unsubscribe link":         {base + "/s/" + token(w.signer.Unsubscribe(ada)), 404},
		"a purpose that is gone":      {confirmLink(w.signer, noon, "gone"), 404},
		"eight days old":              {confirmLink(w.signer, noon.Add(-8*24*time.Hour), "marketing"), 410},
		"as old as it may be, nearly": {confirmLink(w.signer, noon.Add(-7*24*time.Hour+time.Second), "marketing"), 200},
	} {
		before := len(w.events())
		for _, method := range []string{"GET", "POST"} {
			if r := w.ask(method, c.link, nil); r.StatusCode != c.status {
				t.Errorf("%s, %s: %d, want %d", name, method, r.StatusCode, c.status)
			}
		}
		if heard := len(w.events()) - before; (heard > 0) != (c.status == 200) {
			t.Errorf("%s: %d facts were heard", name, heard)
		}
	}
	// Signed with the previous key, after a rotation, it works.
	w2, _ := openShop(t, func(o *site.Options) { o.Signer = rotated })
	if r := w2.post(good); r.StatusCode != 200 || len(w2.events()) != 1 {
		t.Errorf("after a rotation: %d", r.StatusCode)
	}
	if w.signer.Confirm(ada, noon, nil) != "" {
		t.Error("a link confirms nothing")
	}
}

func TestTheFormTellsNobodyWhoIsKnown(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	pages := map[string]bool{}
	send := func(pairs ...string) int {
		r := w.post(base+"/signup", append(pairs, "on", "marketing")...)
		pages[text(t, r)] = true
		return r.StatusCode
	}
	for i := range 5 { // beyond the limit of an address
		if status := send("email", "ada@shop.example"); status != 200 {
			t.Fatalf("time %d: %d", i, status)
		}
	}
	send("email", "somebody@else.example")
	send("email", "robot@else.example", "website", "https://spam.example")
	if len(pages) != 1 {
		t.Errorf("there are %d different pages, so a guess learns something", len(pages))
	}
	heard := map[string]int{}
	for _, a := range w.events() {
		heard[a.Event.Traits.Text("email")]++
	}
	if heard["ada@shop.example"] != 3 || heard["somebody@else.example"] != 1 || heard["robot@else.example"] != 0 {
		t.Errorf("heard %v", heard)
	}
}

func TestANetworkThatSignsUpTooManyWaits(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w, _ := openShop(t, func(o *site.Options) { o.Wall = func() time.Time { return now } })
	statuses := map[int]int{}
	sign := func(i int) *http.Response {
		return w.post(base+"/signup", "email", fmt.Sprintf("p%d@shop.example", i), "on", "stock")
	}
	for i := range 30 {
		r := sign(i)
		statuses[r.StatusCode]++
		if r.StatusCode == 429 && r.Header.Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
	}
	if statuses[200] != 20 || statuses[429] != 10 || len(w.events()) != 20 {
		t.Errorf("answers %v, %d heard", statuses, len(w.events()))
	}
	now = now.Add(time.Hour)
	if r := sign(99); r.StatusCode != 200 {
		t.Errorf("an hour later: %d", r.StatusCode)
	}
}

func TestAnAddressThatIsNoneIsSentBackAndNotHeard(t *testing.T) {
	t.Parallel()
	w, _ := openShop(t)
	for _, bad := range []string{
		"", "ada", "ada@", "@shop.example", "a@b@c.example", `"a b"@shop.example`, "ada@localhost", "ada@shop..example", "ada@.example", "ada@shop.example.",
		"ada@[127.0.0.1]", "a@b.example\r\nBcc: e@x.example", "ada <ada@shop.example>", "ada@shop.example,bob@shop.example", strings.Repeat("x", 65) + "@shop.example", strings.Repeat("x", 300) + "@shop.example",
	} {
		if r := w.post(base+"/signup", "email", bad, "on", "marketing"); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", bad, r.StatusCode)
		}
	}
	r := w.post(base+"/signup", "email", "ada@shop.example")
	if page := text(t, r); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `role="alert"`) || !strings.Contains(page, `value="ada@shop.example"`) {
		t.Errorf("with no box ticked: %d\n%s", r.StatusCode, page)
	}
	if r := w.ask("POST", base+"/signup", strings.NewReader("%zz"), "Content-Type", "application/x-www-form-urlencoded"); r.StatusCode != 400 {
		t.Errorf("nonsense: %d", r.StatusCode)
	}
	if !w.quiet() {
		t.Errorf("heard %v", w.events())
	}
}

func TestAShopWithoutAJourneyForItHasNoForm(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	s.looks.SignUp = false
	for _, method := range []string{"GET", "POST"} {
		if r := w.ask(method, base+"/signup", nil); r.StatusCode != 404 {
			t.Errorf("%s: %d", method, r.StatusCode)
		}
	}
	if r := open(t).ask("GET", base+"/signup", nil); r.StatusCode != 404 {
		t.Errorf("without a shop: %d", r.StatusCode)
	}
}

func TestEvidenceKeepsAsMuchOfAnAddressAsThePolicySays(t *testing.T) {
	t.Parallel()
	for trace, want := range map[site.Trace]*regexp.Regexp{
		site.Truncated: regexp.MustCompile(`^192\.0\.2\.0/24$`), site.Hashed: regexp.MustCompile(`^[0-9a-f]{16}$`), site.Untraced: regexp.MustCompile(`^$`),
	} {
		w, _ := openShop(t, func(o *site.Options) { o.Trace = trace })
		w.post(base+"/signup", "email", "ada@shop.example", "on", "marketing")
		if got := w.events()[0].Event.Props.Text("ip"); !want.MatchString(got) {
			t.Errorf("%q keeps %q", trace, got)
		}
	}
}

func TestPreferencesHoldChannelsAPauseAndFewer(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	link := w.signer.Preferences(ada)
	page := text(t, w.ask("GET", link, nil))
	for _, want := range []string{"by e-mail?", "by text message?", `name="on"`, `name="on.sms"`, `name="fewer"`, `name="pause"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	r := w.post(link, "on", "marketing", "on.sms", "stock", "on.sms", "marketing", "pace", "1", "fewer", "1", "pause", "1")
	page = text(t, r)
	if r.StatusCode != 200 || !strings.Contains(page, "Saved.") || !strings.Contains(page, "Paused until 31 March 2026") {
		t.Fatalf("%d\n%s", r.StatusCode, page)
	}
	var said []string
	p := profile.New(ada.Profile)
	for _, a := range w.events() {
		e := a.Event
		p.Fold(&e, noon)
		said = append(said, e.Name+" "+e.Props.Text("channel")+" "+e.Props.Text("purpose")+" "+e.Props.Text("state"))
	}
	if got := strings.Join(said, "; "); got != "Consent Changed sms stock granted; Preferences Changed email marketing " {
		t.Errorf("heard %s", got)
	}
	if v, _ := p.Trait(decision.TraitFewer); v.Kind != event.True {
		t.Error("fewer is not in the profile")
	}
	if v, _ := p.Trait(decision.TraitPausedUntil); v.Raw != fmt.Sprint(int64(noon.Add(site.PauseFor))) {
		t.Errorf("paused until %s", v.Raw)
	}
	// The same again changes nothing; taking it back does.
	s.customer = site.Customer{Fewer: true, PausedUntil: noon.Add(site.PauseFor)}
	w.on["stock"] = true
	before := len(w.events())
	w.post(link, "on", "marketing", "on", "stock", "on.sms", "stock", "on.sms", "marketing", "pace", "1", "fewer", "1", "pause", "1")
	if n := len(w.events()) - before; n != 0 {
		t.Errorf("the same choice is %d facts", n)
	}
	w.post(link, "on", "marketing", "on", "stock", "on.sms", "stock", "on.sms", "marketing", "pace", "1")
	last := w.events()[len(w.events())-1].Event
	if v, _ := last.Traits.Get(decision.TraitPausedUntil); v.Raw != "0" {
		t.Errorf("the pause is taken back as %s", last.Traits.AppendJSON(nil))
	}
	// An old page without the question leaves the answer alone.
	before = len(w.events())
	w.post(link, "on", "marketing", "on", "stock", "on.sms", "stock", "on.sms", "marketing")
	if n := len(w.events()) - before; n != 0 {
		t.Errorf("a page without the question changed %d facts", n)
	}
}

func TestAMessageInTheBrowserActsForNobody(t *testing.T) {
	t.Parallel()
	w, s := openShop(t)
	link := w.signer.View(ada)
	if r := w.ask("GET", link, nil); r.StatusCode != 404 {
		t.Errorf("a message that is not there: %d", r.StatusCode)
	}
	s.html = `<!doctype html><html><head></head><BODY class="x"><p>Hello</p><script>alert(1)</script></body></html>`
	r := w.ask("GET", link, nil)
	page := text(t, r)
	if r.StatusCode != 200 || !strings.Contains(page, `<BODY class="x"><div role="note"`) || !strings.Contains(page, "your own copy may differ") {
		t.Errorf("%d\n%s", r.StatusCode, page)
	}
	csp := r.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "sandbox ") || strings.Contains(csp, "script") || strings.Contains(csp, "allow-forms") || strings.Contains(csp, "allow-same-origin") {
		t.Errorf("the policy is %q", csp)
	}
	for range 1000 {
		w.ask("GET", link, nil)
		w.ask("HEAD", link, nil)
	}
	if !w.quiet() {
		t.Error("looking at a message changed something")
	}
	for _, bad := range []string{base + "/v/" + token(w.signer.Unsubscribe(ada)), link[:len(link)-2], base + "/u/" + token(link), base + "/p/" + token(link)} {
		if r := w.ask("GET", bad, nil); r.StatusCode != 404 {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
	if r := w.ask("GET", w.signer.OwnCopy(), nil); r.StatusCode != 200 {
		t.Errorf("the page about one's own copy: %d", r.StatusCode)
	}
}
