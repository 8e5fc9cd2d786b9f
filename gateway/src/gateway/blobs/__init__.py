"""Where the uploads of jobs lie until they are read: files of many megabytes, which Redis is not for."""
