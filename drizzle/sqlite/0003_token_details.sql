ALTER TABLE `usage` ADD `cached_tokens` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `cache_creation_tokens` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `reasoning_tokens` integer;