package site

// Catalogue returns the texts of the pages by language and key.
func Catalogue() map[string]map[string]string {
	all := map[string]map[string]string{}
	for lang, w := range catalogue {
		all[lang] = w
	}
	return all
}
