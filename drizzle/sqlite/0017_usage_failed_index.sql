DROP INDEX `usage_failed_at`;--> statement-breakpoint
CREATE INDEX `usage_failed` ON `usage` (`at`,`outcome`,`model`,`user_id`,`agent`,`surface`) WHERE outcome <> 'ok';