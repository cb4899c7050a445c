package program

// categories are those of CLDR by which languages count.
var categories = []string{"zero", "one", "two", "few", "many", "other"}

// category returns the category of a whole number in a language, by the rules of
// CLDR for cardinals. A language that is not named counts as English does.
func category(language string, n int64) string {
	if n < 0 {
		n = -n
	}
	ten, hundred := n%10, n%100
	switch language {
	case "ja", "zh", "ko", "th", "vi", "id", "ms":
		return "other"
	case "fr", "pt", "hi", "fa":
		if n <= 1 {
			return "one"
		}
	case "pl":
		switch {
		case n == 1:
			return "one"
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return "few"
		}
		return "many"
	case "ru", "uk", "be":
		switch {
		case ten == 1 && hundred != 11:
			return "one"
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return "few"
		}
		return "many"
	case "hr", "sr", "bs":
		switch {
		case ten == 1 && hundred != 11:
			return "one"
		case ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14):
			return "few"
		}
	case "cs", "sk":
		switch {
		case n == 1:
			return "one"
		case n >= 2 && n <= 4:
			return "few"
		}
	case "sl":
		switch {
		case hundred == 1:
			return "one"
		case hundred == 2:
			return "two"
		case hundred == 3 || hundred == 4:
			return "few"
		}
	case "lt":
		switch {
		case ten == 1 && (hundred < 11 || hundred > 19):
			return "one"
		case ten >= 2 && (hundred < 11 || hundred > 19):
			return "few"
		}
	case "lv":
		switch {
		case ten == 0 || hundred >= 11 && hundred <= 19:
			return "zero"
		case ten == 1:
			return "one"
		}
	case "ro":
		switch {
		case n == 1:
			return "one"
		case n == 0 || hundred >= 1 && hundred <= 19:
			return "few"
		}
	case "ga":
		switch {
		case n == 1:
			return "one"
		case n == 2:
			return "two"
		case n >= 3 && n <= 6:
			return "few"
		case n >= 7 && n <= 10:
			return "many"
		}
	case "he":
		switch n {
		case 1:
			return "one"
		case 2:
			return "two"
		}
	case "ar":
		switch {
		case n == 0:
			return "zero"
		case n == 1:
			return "one"
		case n == 2:
			return "two"
		case hundred >= 3 && hundred <= 10:
			return "few"
		case hundred >= 11:
			return "many"
		}
	case "is", "mk":
		if ten == 1 && hundred != 11 {
			return "one"
		}
	default:
		if n == 1 {
			return "one"
		}
	}
	return "other"
}
