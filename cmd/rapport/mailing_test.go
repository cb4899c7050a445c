package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/channels/provider"
	"rapport/internal/clock"
)

func TestTheAddressOfTheCarrierIsChecked(t *testing.T) {
	t.Parallel()
	s := &server{clock: clock.Wall()}
	const secret = provider.Secret("AKIDEXAMPLE:wJalrXUtnFEMI")
	for address, want := range map[string]string{ // empty: it is taken
		"smtp://mail.shop.example":                   "",
		"smtp://mail.shop.example:2525?tls=required": "",
		"smtps://shop@mail.shop.example":             "",
		"ses://eu-west-1":                            "",
		"ses://eu-west-1?configuration-set=shop":     "",
		"sendgrid:":                                  "",
		"sendgrid:?region=eu":                        "",
		"mailgun://mg.shop.example?region=eu":        "",
		"postmark:":                                  "",
		"postmark:?marketing=news&service=outbound":  "",
		"resend:":                                "",
		"resend:?base=http://127.0.0.1:1":        "",
		"resend:?base=http://api.resend.example": "https only",
		"ses://":                                 "AWS region",
		"ses://evil.example/":                    "AWS region",
		"ses://eu-west-1?region=x":               "does not know region",
		"mailgun:":                               "sending domain",
		"mailgun://mg.shop.example?region=mars":  "us or eu",
		"pigeon://loft":                          "begins with",
		"":                                       "begins with",
		"smtp://shop:hunter2@mail.shop.example":  "must not stand",
		"smtp://mail.shop.example?tls=perhaps":   "offered, required or never",
		"smtp://mail.shop.example?base=http://127.0.0.1:1": "does not know base",
		"://": "cannot be read",
	} {
		c, _, err := s.carrierOf(address, secret)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "wJalrXUtnFEMI")) {
			t.Errorf("%q tells the secret: %v", address, err)
		}
		if (c == nil) != (err != nil) {
			t.Errorf("%q: %v beside %v", address, c, err)
		}
	}
	for _, address := range []string{"sendgrid:", "postmark:", "resend:", "mailgun://mg.shop.example"} {
		if _, _, err := s.carrierOf(address, ""); err == nil || !strings.Contains(err.Error(), secretVariable) {
			t.Errorf("%s without a secret: %v", address, err)
		}
	}
}

func TestWebhooksAreSetUpByCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "hooks", "add", "resend", "news", "--data", dir, "--secret-file", secret, "--public-url", "https://shop.example")
	if code != exitDone || !strings.Contains(out, "https://shop.example/hooks/resend/news\n") || strings.Contains(out+errs, "whsec_") {
		t.Fatalf("exit %d: %s %s", code, out, errs)
	}
	code, out, errs = rapport(t, "hooks", "add", "postmark", "--data", dir, "--public-url", "https://shop.example")
	if code != exitDone || !strings.Contains(out, "https://rapport:") || !strings.Contains(out, "@shop.example/hooks/postmark/main") {
		t.Fatalf("exit %d: %s %s", code, out, errs)
	}
	code, out, _ = rapport(t, "hooks", "list", "--data", dir, "--json")
	if want := `[{"provider":"resend","name":"news","path":"/hooks/resend/news"},{"provider":"postmark","name":"main","path":"/hooks/postmark/main"}]` + "\n"; code != exitDone || out != want {
		t.Errorf("exit %d: %s", code, out)
	}
	for name, args := range map[string][]string{
		"no secret":         {"hooks", "add", "mailgun", "--data", dir},
		"a wrong secret":    {"hooks", "add", "sendgrid", "--data", dir, "--secret-file", secret},
		"nobody's provider": {"hooks", "add", "pigeon", "--data", dir, "--secret-file", secret},
		"no directory":      {"hooks", "list", "--data", filepath.Join(dir, "nowhere")},
		"an unknown source": {"hooks", "remove", "resend", "other", "--data", dir},
	} {
		if code, out, errs := rapport(t, args...); code != exitFailed || strings.Contains(out+errs, "whsec_MfKQ") {
			t.Errorf("%s: exit %d: %s %s", name, code, out, errs)
		}
	}
	if code, _, errs := rapport(t, "hooks", "remove", "resend", "news", "--data", dir); code != exitDone {
		t.Errorf("exit %d: %s", code, errs)
	}
}
