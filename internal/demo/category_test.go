package demo_test

import (
	"slices"
	"testing"

	retail "rapport/examples/online-retail"
	"rapport/internal/demo"
)

func TestDescriptionsFindTheirCategory(t *testing.T) {
	t.Parallel()
	for description, want := range map[string]string{
		"RABBIT NIGHT LIGHT":                 "lighting",
		"RETROSPOT LAMP":                     "lighting",
		"SET OF 10 LED DOLLY LIGHTS":         "lighting",
		"CINDERELLA CHANDELIER":              "lighting",
		"WHITE HANGING HEART T-LIGHT HOLDER": "candles",
		"FLOWERS CHANDELIER T-LIGHT HOLDER":  "candles",
		"EMBOSSED GLASS TEALIGHT HOLDER":     "candles",
		"FEATHER PEN,LIGHT PINK":             "stationery",
		"JUMBO BAG RED RETROSPOT":            "bags",
		"JUMBO BAG VINTAGE CHRISTMAS":        "bags",
		"REX CASH+CARRY JUMBO SHOPPER":       "bags",
		"PAPER CHAIN KIT 50'S CHRISTMAS":     "christmas",
		"CHOCOLATE HOT WATER BOTTLE":         "textiles",
		"REGENCY CAKESTAND 3 TIER":           "kitchen",
		"GIN + TONIC DIET METAL SIGN":        "signs",
		"VINTAGE SNAP CARDS":                 "toys",
		"SPACEBOY BIRTHDAY CARD":             "stationery",
		"PARTY BUNTING":                      "party",
		"SET/20 RED RETROSPOT PAPER NAPKINS": "party",
		"GARDENERS KNEELING PAD KEEP CALM":   "garden",
		"PLASTERS IN TIN SPACEBOY":           "bath",
		"CHILD'S GARDEN TROWEL":              "garden",
		"ASSORTED COLOUR BIRD ORNAMENT":      "decoration",
		"WOOD 2 DRAWER CABINET WHITE FINISH": "storage",
		"FELTCRAFT BUTTERFLY HEARTS":         "craft",
		"PINK CREAM FELT CRAFT TRINKET BOX":  "accessories",
		"High Resolution Image":              "other",
		"":                                   "other",
		"delightful":                         "other", // no whole word in it
		"light":                              "lighting",
	} {
		if got := demo.CategoryOf(description); got != want {
			t.Errorf("%q is %s, want %s", description, got, want)
		}
	}
}

func TestHardlyAnyLineIsOther(t *testing.T) {
	t.Parallel()
	lines, of := 0, map[string]int{}
	cache := map[string]string{}
	if err := retail.Rows(func(r retail.Row) bool {
		if !r.Clean() || !retail.IsProduct(r.SKU) {
			return true
		}
		c, ok := cache[r.Description]
		if !ok {
			c = demo.CategoryOf(r.Description)
			cache[r.Description] = c
		}
		of[c]++
		lines++
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if lines != 396_337 {
		t.Fatalf("%d clean lines are products, want 396,337", lines)
	}
	if share := float64(of[demo.Other]) / float64(lines); share >= 0.01 {
		t.Errorf("%.2f %% of the clean product lines are other, want under 1 %%", 100*share)
	}
	for _, r := range demo.CategoryRules() {
		if of[r.Category] < lines/100 {
			t.Errorf("%s has %d of %d lines: too few to be a category", r.Category, of[r.Category], lines)
		}
	}
	t.Logf("lines by category: %v", of)
}

func TestTheRulesCanBePrinted(t *testing.T) {
	t.Parallel()
	titles := map[string]string{}
	for _, r := range demo.CategoryRules() {
		if r.Category == demo.Other || r.Category == demo.Charges || r.Category == "" || r.Title == "" || len(r.Words) == 0 {
			t.Errorf("rule %+v", r)
		}
		if old, ok := titles[r.Category]; ok && old != r.Title {
			t.Errorf("%s is called %q and %q", r.Category, old, r.Title)
		}
		titles[r.Category] = r.Title
		for i, w := range r.Words {
			if w == "" || slices.Contains(r.Words[:i], w) {
				t.Errorf("%s: word %d, %q, is empty or there twice", r.Category, i, w)
			}
			if got := demo.CategoryOf(w); got == demo.Other {
				t.Errorf("%s: nothing can match %q", r.Category, w)
			}
		}
	}
}
