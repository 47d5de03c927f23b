-- A user agent of an unknown operating system is a desktop's, as in the marts.
update raw.user_agents set device_type = 'desktop' where device_type is null;
