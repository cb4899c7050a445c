package ses_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"sort"
	"strings"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/mail"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/ses"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	token  = "FwoGZXIvYXdzEXAMPLETOKEN"
)

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

type text struct{ Data, Charset string }

// asked is a request as SES documents it.
type asked struct {
	FromEmailAddress     string
	Destination          struct{ ToAddresses []string }
	ReplyToAddresses     []string
	ConfigurationSetName string
	EmailTags            []struct{ Name, Value string }
	Content              struct {
		Simple struct {
			Subject text
			Body    struct{ Html, Text *text }
			Headers []struct{ Name, Value string }
		}
	}
}

// signature computes Signature Version 4 anew from what arrived, as AWS does: from
// the headers that the request says are signed.
func signature(r *http.Request, body []byte, signed, scope string) string {
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	names := strings.Split(signed, ";")
	sort.Strings(names)
	lines := []string{r.Method, r.URL.Path, r.URL.RawQuery}
	for _, n := range names {
		v := r.Header.Get(n)
		if n == "host" {
			v = r.Host
		}
		lines = append(lines, n+":"+strings.TrimSpace(v))
	}
	lines = append(lines, "", strings.Join(names, ";"), sum(string(body)))
	toSign := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + scope + "\n" + sum(strings.Join(lines, "\n"))
	k := []byte("AWS4" + secret)
	for _, s := range append(strings.Split(scope, "/"), toSign) {
		m := hmac.New(sha256.New, k)
		m.Write([]byte(s))
		k = m.Sum(nil)
	}
	return hex.EncodeToString(k)
}

// fake checks what SES checks.
func fake(d *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, name, words string) {
		w.Header().Set("X-Amzn-Errortype", name+":http://internal.amazon.com/coral/com.amazonaws.sesv2/")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"message": words})
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v2/email/outbound-emails" {
		refuse(http.StatusNotFound, "UnknownOperationException", "")
		return
	}
	var id, signed, sig string
	auth := strings.ReplaceAll(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",", "")
	fmt.Sscanf(auth, "Credential=%s SignedHeaders=%s Signature=%s", &id, &signed, &sig)
	scope := strings.TrimPrefix(id, keyID+"/")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	switch {
	case d.Forgotten():
		refuse(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	case err != nil || at.Sub(now).Abs() > 5*time.Minute:
		refuse(http.StatusForbidden, "RequestExpired", "Signature expired")
		return
	case scope != at.Format("20060102")+"/eu-west-1/ses/aws4_request" || !strings.Contains(signed, "host") || !strings.Contains(signed, "content-type") ||
		!strings.Contains(signed, "x-amz-security-token") || r.Header.Get("X-Amz-Security-Token") != token || signature(r, body, signed, scope) != sig:
		refuse(http.StatusForbidden, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
		return
	case d.Busy(w.Header()):
		refuse(http.StatusTooManyRequests, "TooManyRequestsException", "Maximum sending rate exceeded.")
		return
	case r.Header.Get("Content-Type") != "application/json" || len(body) > 40<<20:
		refuse(http.StatusBadRequest, "BadRequestException", "cannot be read")
		return
	}
	var ask asked
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ask); err != nil {
		refuse(http.StatusBadRequest, "BadRequestException", err.Error())
		return
	}
	if words := wrong(&ask); words != "" {
		refuse(http.StatusBadRequest, "BadRequestException", words)
		return
	}
	to, _ := netmail.ParseAddress(ask.Destination.ToAddresses[0])
	switch channeltest.Fated(to.Address) {
	case channeltest.Policy:
		refuse(http.StatusBadRequest, "MessageRejected", "Email content contains a virus")
		return
	case channeltest.Defer:
		refuse(http.StatusBadRequest, "LimitExceededException", "There are too many instances of the specified resource type.")
		return
	case channeltest.Lost:
		d.Take(ask.EmailTags[0].Value)
		channeltest.Vanish()
	}
	d.Take(ask.EmailTags[0].Value)
	io.WriteString(w, `{"MessageId":"010201-8e1c2d3f-0000"}`)
}

// wrong returns what SES would refuse of a message.
func wrong(ask *asked) string {
	if len(ask.Destination.ToAddresses) != 1 || len(ask.EmailTags) != 1 {
		return "one recipient and one tag"
	}
	if !mail.ASCII(ask.FromEmailAddress) || !mail.ASCII(ask.Destination.ToAddresses[0]) {
		return "Local address contains control or whitespace"
	}
	to, err := netmail.ParseAddress(ask.Destination.ToAddresses[0])
	if err != nil || channeltest.Fated(to.Address) == channeltest.Reject {
		return "Illegal address"
	}
	s := ask.Content.Simple
	if s.Subject.Data == "" || s.Body.Html == nil && s.Body.Text == nil || len(s.Headers) > 15 {
		return "The message has no subject, no body or more than 15 headers."
	}
	headers := map[string]string{}
	for _, h := range s.Headers {
		if len(h.Value) > 870 {
			return "a header is too long"
		}
		headers[h.Name] = h.Value
	}
	if headers["List-Unsubscribe"] != "<https://shop.example/u/token>" || headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		return "this test wants a way out"
	}
	return ""
}

func open(t *testing.T, handler func(*channeltest.Desk, http.ResponseWriter, *http.Request), change func(*ses.Options)) (*channeltest.Desk, *provider.Channel) {
	t.Helper()
	d := channeltest.Open(t, handler)
	o := ses.Options{
		Options:     provider.Options{Base: d.URL, Now: func() time.Time { return now }},
		Credentials: ses.Credentials{ID: keyID, Secret: secret, Token: token}, Region: "eu-west-1",
	}
	if change != nil {
		change(&o)
	}
	c, err := ses.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return d, c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Peer {
		d, c := open(t, fake, nil)
		return d.Peer(c)
	})
}

func TestAWrongSecretIsTroubleAndNobodysFault(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ses.Options){
		"secret": func(o *ses.Options) { o.Secret = "another" },
		"region": func(o *ses.Options) { o.Region = "us-east-1" },
		"token":  func(o *ses.Options) { o.Token = "" },
		"clock":  func(o *ses.Options) { o.Now = func() time.Time { return now.Add(time.Hour) } },
	} {
		d, c := open(t, fake, change)
		m := channeltest.Message(1)
		o := c.Send(t.Context(), []channels.Message{m})[0]
		if o.State != channels.Deferred || o.Hard || c.Trouble() == "" || d.Taken(m) != 0 {
			t.Errorf("a wrong %s: %+v, trouble %q", name, o, c.Trouble())
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", o, o, c.Trouble()), secret) {
			t.Errorf("a wrong %s: the secret is told", name)
		}
	}
}

func TestWhatSESSaysOfOurselvesIsNoRecipientsFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, words string
		status      int
		want        channels.State
	}{
		{"MessageRejected", "Email address is not verified. The following identities failed the check in region EU-WEST-1: news@shop.example", 400, channels.Deferred},
		{"SendingPausedException", "Sending is paused for this account", 400, channels.Deferred},
		{"AccountSuspendedException", "", 400, channels.Deferred},
		{"MailFromDomainNotVerifiedException", "", 400, channels.Deferred},
		{"NotFoundException", "Configuration set <x> does not exist.", 404, channels.Deferred},
		{"BadRequestException", "The from address is an Illegal address", 400, channels.Rejected},
		{"MessageRejected", "Email content contains a virus", 400, channels.Rejected},
		{"InternalFailure", "", 500, channels.Unknown},
		{"", "", 502, channels.Unknown},
		{"", "", 504, channels.Unknown},
		{"ServiceUnavailable", "", 503, channels.Deferred},
		{"", "", 302, channels.Deferred},
	} {
		_, ch := open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("X-Amzn-Errortype", c.name)
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(c.status)
			json.NewEncoder(w).Encode(map[string]string{"message": c.words})
		}, nil)
		o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)})[0]
		if o.State != c.want || o.Hard || o.Detail == "" || (o.State == channels.Deferred) != (o.RetryAfter > 0) {
			t.Errorf("%d %s %q: %+v, want %s", c.status, c.name, c.words, o, c.want)
		}
	}
}

func TestANameOutsideASCIIIsEncoded(t *testing.T) {
	t.Parallel()
	var got asked
	_, c := open(t, func(_ *channeltest.Desk, w http.ResponseWriter, r *http.Request) {
		json.NewDecoder(r.Body).Decode(&got)
		io.WriteString(w, `{"MessageId":"a"}`)
	}, func(o *ses.Options) { o.ConfigurationSet = "shop" })
	m := channeltest.Message(1)
	m.From.Name, m.To.Name, m.Subject = "Bücher & mehr", "Ада \"Л\"\r\nBcc: e@x.example", "Łetter"
	if o := c.Send(t.Context(), []channels.Message{m})[0]; o.State != channels.Accepted {
		t.Fatalf("%+v", o)
	}
	from, err1 := netmail.ParseAddress(got.FromEmailAddress)
	to, err2 := netmail.ParseAddress(got.Destination.ToAddresses[0])
	if err1 != nil || err2 != nil || from.Name != "Bücher & mehr" || to.Name != `Ада "Л" Bcc: e@x.example` || to.Address != m.To.Address {
		t.Errorf("From %q, To %q", got.FromEmailAddress, got.Destination.ToAddresses)
	}
	if got.Content.Simple.Subject.Data != "Łetter" || got.ConfigurationSetName != "shop" || got.EmailTags[0].Name != "rapport_delivery" || got.EmailTags[0].Value != m.Delivery {
		t.Errorf("%+v", got)
	}
}
