DROP INDEX `usage_at`;--> statement-breakpoint
DROP INDEX `usage_user_id_at`;--> statement-breakpoint
CREATE INDEX `usage_at_user_id` ON `usage` (`at`,`user_id`);