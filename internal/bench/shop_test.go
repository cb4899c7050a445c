package bench

import "testing"

func TestX(t *testing.T) {
	if _, err := compile(bigShop()); err != nil {
		t.Error(err)
	}
	if _, err := compile(letterShop()); err != nil {
		t.Error(err)
	}
}
