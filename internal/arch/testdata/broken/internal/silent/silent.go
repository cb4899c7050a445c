package silent // want package-comment
