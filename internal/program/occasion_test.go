package program_test

import (
	"strings"
	"testing"

	"rapport/internal/program"
)

func TestAnOccasionNamesAPurposeToWhichCustomersCanAgree(t *testing.T) {
	t.Parallel()
	const baby = "occasion: new-baby\npurpose: occasions\nsignals:\n  nappies: [Nappies]\n  cot: [Cots]\n"
	compile := func(change map[string]string) (*program.Program, string) {
		src, err := program.New(files(change))
		if err != nil {
			t.Fatal(err)
		}
		p, problems := program.Compile(src, program.Options{Workspace: "test"})
		var texts []string
		for _, problem := range problems {
			texts = append(texts, problem.Error())
		}
		return p, strings.Join(texts, "\n")
	}
	shop := strings.Replace(shopOf(t), "purposes: {marketing: News}", "purposes: {marketing: News, occasions: What happens in my life}", 1)
	p, problems := compile(map[string]string{"shop.yaml": shop, "occasions/new-baby.yaml": baby})
	if p == nil || len(p.Core.Occasions.All()) != 1 {
		t.Fatal(problems)
	}
	if purpose, ok := p.Core.Occasions.Purpose("occasion.new-baby"); !ok || purpose != "occasions" {
		t.Errorf("%q %t", purpose, ok)
	}
	if p, problems := compile(map[string]string{"occasions/new-baby.yaml": baby}); p != nil || !strings.Contains(problems, `customers cannot agree to the purpose "occasions"`) {
		t.Error(problems)
	}
	if p, problems := compile(map[string]string{"shop.yaml": shop, "occasions/a.yaml": baby, "occasions/b.yaml": baby}); p != nil || !strings.Contains(problems, "two occasions called") {
		t.Error(problems)
	}
}

// shopOf returns the shop.yaml of the small sound shop.
func shopOf(t *testing.T) string {
	t.Helper()
	for _, f := range files(nil) {
		if f.Path == "shop.yaml" {
			return f.Body
		}
	}
	t.Fatal("the small shop has no shop.yaml")
	return ""
}
