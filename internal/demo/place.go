package demo

// Place is what the Country column of the file stands for.
type Place struct {
	Country  string `json:"country"` // ISO 3166 code; empty where the file names no country
	Locale   string `json:"locale"`  // BCP 47
	Zone     string `json:"timezone"`
	language string // whose names people have
}

// places are all 38 countries of the file. A country with several zones gets
// that of its largest city.
var places = map[string]Place{
	"Australia":            {"AU", "en-AU", "Australia/Sydney", "en"},
	"Austria":              {"AT", "de-AT", "Europe/Vienna", "de"},
	"Bahrain":              {"BH", "ar-BH", "Asia/Bahrain", "ar"},
	"Belgium":              {"BE", "nl-BE", "Europe/Brussels", "nl"},
	"Brazil":               {"BR", "pt-BR", "America/Sao_Paulo", "es"},
	"Canada":               {"CA", "en-CA", "America/Toronto", "en"},
	"Channel Islands":      {"JE", "en-JE", "Europe/Jersey", "en"},
	"Cyprus":               {"CY", "el-CY", "Asia/Nicosia", "el"},
	"Czech Republic":       {"CZ", "cs-CZ", "Europe/Prague", "pl"},
	"Denmark":              {"DK", "da-DK", "Europe/Copenhagen", "sv"},
	"EIRE":                 {"IE", "en-IE", "Europe/Dublin", "en"},
	"European Community":   {"", "en", "Europe/Brussels", "en"}, // not a country
	"Finland":              {"FI", "fi-FI", "Europe/Helsinki", "sv"},
	"France":               {"FR", "fr-FR", "Europe/Paris", "fr"},
	"Germany":              {"DE", "de-DE", "Europe/Berlin", "de"},
	"Greece":               {"GR", "el-GR", "Europe/Athens", "el"},
	"Hong Kong":            {"HK", "en-HK", "Asia/Hong_Kong", "ja"},
	"Iceland":              {"IS", "is-IS", "Atlantic/Reykjavik", "sv"},
	"Israel":               {"IL", "he-IL", "Asia/Jerusalem", "ar"},
	"Italy":                {"IT", "it-IT", "Europe/Rome", "it"},
	"Japan":                {"JP", "ja-JP", "Asia/Tokyo", "ja"},
	"Lebanon":              {"LB", "ar-LB", "Asia/Beirut", "ar"},
	"Lithuania":            {"LT", "lt-LT", "Europe/Vilnius", "pl"},
	"Malta":                {"MT", "en-MT", "Europe/Malta", "it"},
	"Netherlands":          {"NL", "nl-NL", "Europe/Amsterdam", "nl"},
	"Norway":               {"NO", "nb-NO", "Europe/Oslo", "sv"},
	"Poland":               {"PL", "pl-PL", "Europe/Warsaw", "pl"},
	"Portugal":             {"PT", "pt-PT", "Europe/Lisbon", "es"},
	"RSA":                  {"ZA", "en-ZA", "Africa/Johannesburg", "en"},
	"Saudi Arabia":         {"SA", "ar-SA", "Asia/Riyadh", "ar"},
	"Singapore":            {"SG", "en-SG", "Asia/Singapore", "ja"},
	"Spain":                {"ES", "es-ES", "Europe/Madrid", "es"},
	"Sweden":               {"SE", "sv-SE", "Europe/Stockholm", "sv"},
	"Switzerland":          {"CH", "de-CH", "Europe/Zurich", "de"},
	"USA":                  {"US", "en-US", "America/New_York", "en"},
	"United Arab Emirates": {"AE", "ar-AE", "Asia/Dubai", "ar"},
	"United Kingdom":       {"GB", "en-GB", "Europe/London", "en"},
	"Unspecified":          {"", "en-GB", "Europe/London", "en"}, // the shop does not say; most are British
}

// PlaceOf returns what a value of the Country column stands for, and whether the
// file has it. Any other is treated as "Unspecified".
func PlaceOf(country string) (Place, bool) {
	p, ok := places[country]
	if !ok {
		p = places["Unspecified"]
	}
	return p, ok
}

// names are the invented people's first and last names by the language of their
// place, or of one beside it. They are common names and nobody's in particular.
var names = map[string]struct{ first, last []string }{
	"en": {
		[]string{
			"Alice", "Amelia", "Amy", "Ben", "Beth", "Charlotte", "Chloe", "Clare", "Daniel", "David", "Edward", "Eleanor", "Ella", "Emily",
			"Emma", "Fiona", "George", "Grace", "Hannah", "Harriet", "Harry", "Helen", "Holly", "Isabel", "Jack", "James", "Jane", "Jessica",
			"Joanna", "Kate", "Laura", "Lily", "Lucy", "Martha", "Matthew", "Megan", "Nicola", "Oliver", "Poppy", "Rachel", "Rebecca", "Rosie",
			"Ruth", "Sarah", "Simon", "Sophie", "Thomas", "William",
		},
		[]string{
			"Adams", "Baker", "Barnes", "Bennett", "Brown", "Butler", "Carter", "Chapman", "Clarke", "Collins", "Cook", "Cooper", "Davies",
			"Dixon", "Edwards", "Ellis", "Evans", "Fisher", "Foster", "Graham", "Green", "Hall", "Harris", "Hill", "Hughes", "Hunt", "Jackson",
			"Jones", "Kelly", "King", "Lewis", "Marshall", "Mason", "Mills", "Moore", "Morgan", "Murphy", "Palmer", "Parker", "Price", "Reed",
			"Roberts", "Shaw", "Taylor", "Turner", "Ward", "Webb", "Wright",
		},
	},
	"de": {
		[]string{"Anna", "Birgit", "Claudia", "Eva", "Frank", "Hanna", "Ingrid", "Jonas", "Karin", "Lena", "Lukas", "Maria", "Nina", "Petra", "Sabine", "Thomas"},
		[]string{"Bauer", "Becker", "Berger", "Fischer", "Gruber", "Hofmann", "Huber", "Keller", "Klein", "Koch", "Meier", "Müller", "Schmid", "Schneider", "Wagner", "Weber"},
	},
	"fr": {
		[]string{"Camille", "Chloé", "Claire", "Élodie", "Hélène", "Julie", "Léa", "Louise", "Luc", "Manon", "Marie", "Nathalie", "Paul", "Pierre", "Sophie", "Zoé"},
		[]string{"Bernard", "Blanc", "Dubois", "Durand", "Fournier", "Garnier", "Girard", "Lambert", "Laurent", "Lefèvre", "Martin", "Moreau", "Petit", "Richard", "Robert", "Roux"},
	},
	"nl": {
		[]string{"Anouk", "Bram", "Daan", "Eline", "Femke", "Hans", "Ilse", "Jan", "Joke", "Lotte", "Marieke", "Pieter", "Sanne", "Sofie", "Tess", "Wim"},
		[]string{"Bakker", "Bos", "De Boer", "De Vries", "Dekker", "Hendriks", "Jansen", "Janssens", "Maes", "Mulder", "Peeters", "Smit", "Van Dijk", "Vermeulen", "Visser", "Willems"},
	},
	"sv": {
		[]string{"Astrid", "Birgitta", "Elin", "Erik", "Freja", "Hanna", "Ida", "Ingrid", "Johan", "Karin", "Lars", "Linnea", "Maja", "Nils", "Sigrid", "Sofia"},
		[]string{"Andersen", "Berg", "Dahl", "Eriksson", "Hansen", "Holm", "Johansson", "Karlsson", "Korhonen", "Larsen", "Lindberg", "Lund", "Nielsen", "Nilsson", "Olsen", "Strand"},
	},
	"es": {
		[]string{"Ana", "Beatriz", "Carmen", "Cristina", "Elena", "Inês", "Isabel", "Joana", "João", "Laura", "Lucía", "María", "Pablo", "Pedro", "Rosa", "Sofía"},
		[]string{"Almeida", "Costa", "Fernández", "Ferreira", "García", "Gómez", "López", "Martínez", "Moreno", "Navarro", "Oliveira", "Pereira", "Ruiz", "Santos", "Silva", "Torres"},
	},
	"it": {
		[]string{"Alessia", "Andrea", "Chiara", "Elena", "Francesca", "Giulia", "Ilaria", "Lorenzo", "Luca", "Marco", "Maria", "Marta", "Paola", "Sara", "Silvia", "Sofia"},
		[]string{"Bianchi", "Bruno", "Camilleri", "Colombo", "Conti", "Costa", "Esposito", "Ferrari", "Fontana", "Galli", "Greco", "Moretti", "Ricci", "Romano", "Rossi", "Vella"},
	},
	"pl": {
		[]string{"Agnieszka", "Anna", "Barbora", "Ewa", "Gabija", "Hana", "Jan", "Jana", "Joanna", "Katarzyna", "Lucie", "Magda", "Petra", "Piotr", "Tereza", "Tomas"},
		[]string{"Dvořák", "Jankauskas", "Kaminski", "Kowalski", "Kučera", "Lewandowski", "Mazur", "Novák", "Nowak", "Petrauskas", "Procházka", "Svoboda", "Wiśniewski", "Wójcik", "Zając", "Zieliński"},
	},
	"el": {
		[]string{"Alexandra", "Andreas", "Anna", "Dimitra", "Eleni", "Georgia", "Ioanna", "Katerina", "Konstantina", "Maria", "Marios", "Nikos", "Petros", "Sofia", "Vasiliki", "Yiannis"},
		[]string{"Alexiou", "Angelou", "Christou", "Demetriou", "Georgiou", "Ioannou", "Kyriakou", "Makris", "Nikolaou", "Pappas", "Pavlou", "Petrou", "Savva", "Stavrou", "Vasiliou", "Zachariou"},
	},
	"ar": {
		[]string{"Adam", "Amira", "Dalia", "Hala", "Hana", "Karim", "Layla", "Lina", "Maya", "Mona", "Nadia", "Noor", "Omar", "Rania", "Sami", "Yasmin"},
		[]string{"Abadi", "Amin", "Aziz", "Darwish", "Farah", "Haddad", "Hakim", "Hamdan", "Khoury", "Levi", "Mansour", "Nasser", "Rahman", "Saleh", "Sharif", "Zaki"},
	},
	"ja": {
		[]string{"Akiko", "Emi", "Hana", "Haruka", "Hui Min", "Jia", "Kai", "Keiko", "Mei", "Naoko", "Ren", "Sakura", "Wei", "Xin", "Yui", "Yuki"},
		[]string{"Chan", "Chen", "Fujita", "Ito", "Kato", "Kimura", "Lee", "Lim", "Mori", "Nakamura", "Sato", "Suzuki", "Tan", "Tanaka", "Wong", "Yamada"},
	},
}
