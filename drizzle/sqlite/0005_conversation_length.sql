DROP INDEX `conversations_user_id`;--> statement-breakpoint
ALTER TABLE `conversations` ADD `length` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `conversations_user_id_used_at` ON `conversations` (`user_id`,`used_at`);