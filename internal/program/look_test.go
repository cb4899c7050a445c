package program_test

import (
	"strings"
	"testing"

	"rapport/internal/program"
)

func TestTheLookOfThePagesIsCheckedWhereItIsWritten(t *testing.T) {
	t.Parallel()
	p := shop(t)
	if p.Shop.Kit.Look().Accent != "#8a3b1f" || p.Shop.Purposes[0].Labels["de"] == "" || p.Shop.Purposes[0].Abouts["de"] == "" {
		t.Errorf("the example shop looks like %+v, %+v", p.Shop.Kit.Look(), p.Shop.Purposes[0])
	}
	if !p.Hears("Signup Requested") || p.Hears("Signup") {
		t.Error("it is not known which events a journey waits for")
	}
	const head = "name: Shop\nzone: Europe/London\ncurrency: GBP\npostal: 1 Example Street\nsenders:\n  email: {from: hello@shop.example}\n"
	for body, want := range map[string]string{
		"brand: {colors: {accent: \"#ffee00\"}}\npurposes: {marketing: News}\n":                "contrast of",
		"brand: {logo: {url: \"javascript:alert(1)\", alt: x}}\npurposes: {marketing: News}\n": "is not the address of a picture",
		"purposes: {marketing: {label: News, labels: Neues}}\n":                                "labels are a map of languages",
		"purposes: {marketing: {label: News, labels: {\"<script>\": Neues}}}\n":                "is not the tag of a language",
	} {
		src, err := program.New(files(map[string]string{"shop.yaml": head + body}))
		if err != nil {
			t.Fatal(err)
		}
		_, problems := program.Compile(src, program.Options{Workspace: "test"})
		said := ""
		for _, p := range problems {
			said += p.Error() + "\n"
		}
		if !strings.Contains(said, want) || !strings.Contains(said, "shop.yaml:") {
			t.Errorf("%q: %s\nwant %q", body, said, want)
		}
	}
}
