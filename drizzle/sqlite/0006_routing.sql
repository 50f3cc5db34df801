ALTER TABLE `agent_keys` ADD `priority` integer;--> statement-breakpoint
ALTER TABLE `agent_keys` ADD `weight` real;--> statement-breakpoint
ALTER TABLE `agent_keys` ADD `tags` text;--> statement-breakpoint
ALTER TABLE `agent_keys` ADD `owner_id` text REFERENCES `users`(`id`) ON DELETE set null;--> statement-breakpoint
ALTER TABLE `agent_keys` ADD `shows_name` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `priority` text;--> statement-breakpoint
ALTER TABLE `users` ADD `agent_tags` text;