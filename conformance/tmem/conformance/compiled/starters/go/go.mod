module store

go 1.19
