package condition_test

import (
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/condition"
)

func TestEveryKindOfQuestionDescribesItself(t *testing.T) {
	t.Parallel()
	seen := []string{}
	for _, k := range condition.Kinds() {
		if k.Label == "" || k.Group == "" || k.About == "" || !strings.Contains(k.Example, k.Key+":") {
			t.Errorf("%+v does not describe itself", k)
		}
		if slices.Contains(seen, k.Key) {
			t.Errorf("%s is described twice", k.Key)
		}
		seen = append(seen, k.Key)
	}
	for _, key := range []string{"did", "sequence", "message", "list", "object", "prediction", "dwell", "score"} {
		if !slices.Contains(seen, key) {
			t.Errorf("%s is not described", key)
		}
	}
}
