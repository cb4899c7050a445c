package content_test

import (
	"testing"

	"rapport/internal/core/content"
	"rapport/internal/fault"
)

// drawn answers as a signer does.
func drawn(kind, text, level string) (string, error) {
	if text == "bad" {
		return "", fault.New(fault.Invalid, "the last digit must be 1")
	}
	return "https://shop.example/k/" + kind + "/" + level + "/" + text, nil
}

func TestCodesBecomeTheAddressesOfTheirPictures(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<img alt="" src="{{ c | qr }}">`:                        `<img alt="" src="https://shop.example/k/qr//A-1">`,
		`<img alt="" src="{{ c | qr: "H" }}">`:                   `<img alt="" src="https://shop.example/k/qr/H/A-1">`,
		`<img alt="" src="{{ "4006381333931" | ean13 }}">`:       `<img alt="" src="https://shop.example/k/ean13//4006381333931">`,
		`<img alt="" src="{{ c | downcase | code128 }}">`:        `<img alt="" src="https://shop.example/k/code128//a-1">`,
		`<!--[if mso]><noscript>x</noscript><![endif]-->{{ c }}`: `<!--[if mso]><noscript>x</noscript><![endif]-->A-1`,
	} {
		tpl, err := content.Compile("t", content.Sources{HTML: source})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := tpl.Render(content.Vars{"c": "A-1"}, content.Env{Code: drawn})
		if err != nil || got.HTML != want {
			t.Errorf("%s: %q, %v, want %q", source, got.HTML, err, want)
		}
	}
	for source, env := range map[string]content.Env{
		`<img alt="" src="{{ "bad" | ean13 }}">`: {Code: drawn}, `<img alt="" src="{{ "x" | qr }}">`: {},
	} {
		tpl, err := content.Compile("t", content.Sources{HTML: source})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.Render(nil, env); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", source, err)
		}
	}
	if _, err := content.Compile("t", content.Sources{HTML: "<noscript>x</noscript>"}); err == nil {
		t.Error("a noscript that browsers see is taken")
	}
}
