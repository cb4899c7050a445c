package program

import "testing"

// The categories are those of CLDR's own samples.
func TestLanguagesCountInTheirOwnWay(t *testing.T) {
	t.Parallel()
	for language, samples := range map[string]map[string][]int64{
		"en": {"one": {1, -1}, "other": {0, 2, 16, 100}}, "de": {"one": {1}, "other": {0, 2}}, "fr": {"one": {0, 1}, "other": {2, 17}}, "ja": {"other": {0, 1, 15}},
		"pl": {"one": {1}, "few": {2, 4, 22, 102}, "many": {0, 5, 12, 19, 100}}, "ru": {"one": {1, 21, 101}, "few": {2, 34, 102}, "many": {0, 5, 11, 19, 100}},
		"hr": {"one": {1, 21, 101}, "few": {2, 22}, "other": {0, 5, 11, 14}}, "cs": {"one": {1}, "few": {2, 4}, "other": {0, 5, 22}}, "sl": {"one": {1, 101}, "two": {2, 102}, "few": {3, 104}, "other": {0, 5, 11}},
		"lt": {"one": {1, 21}, "few": {2, 29}, "other": {0, 10, 11, 19}}, "lv": {"zero": {0, 10, 11, 19, 20}, "one": {1, 21}, "other": {2, 22}}, "ro": {"one": {1}, "few": {0, 2, 16, 101}, "other": {20, 100}},
		"ga": {"one": {1}, "two": {2}, "few": {3, 6}, "many": {7, 10}, "other": {0, 11}}, "he": {"one": {1}, "two": {2}, "other": {0, 3}}, "is": {"one": {1, 21}, "other": {0, 11}},
		"ar": {"zero": {0}, "one": {1}, "two": {2}, "few": {3, 10, 103}, "many": {11, 99, 111}, "other": {100, 102}},
	} {
		for want, numbers := range samples {
			for _, n := range numbers {
				if got := category(language, n); got != want {
					t.Errorf("%s counts %d as %s, want %s", language, n, got, want)
				}
			}
		}
	}
}
